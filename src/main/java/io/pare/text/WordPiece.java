package io.pare.text;

import io.pare.file.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * BERT's tokenizer: words, cut into the longest pieces that a vocabulary has (Schuster and Nakajima, 2012; Wu et al.,
 * 1609.08144).
 *
 * <pre>{@code
 * WordPiece tokenizer = WordPiece.read(Path.of("tokenizer.json"));
 * int[] ids = tokenizer.encode("hello world");  // 101, 7592, 2088, 102
 * }</pre>
 *
 * <p>It reads the {@code tokenizer.json} of Hugging Face's tokenizers and gives the ids that these give, without
 * padding. Characters are those of the JDK's Unicode, which may be newer than theirs. Immutable and thread-safe.
 */
public final class WordPiece {
    /** Bytes of a file that are read at most: the vocabulary of a hundred languages has 3 MB. */
    private static final int LARGEST = 1 << 26;

    private final Words words;
    private final Map<String, Integer> vocabulary;
    private final Map<String, Integer> added;
    private final int unknown;
    private final String prefix;
    private final int longestWord;
    private final int longestToken;
    private final int[] before;
    private final int[] after;
    private final int most;
    private final int size;

    /**
     * Tokens.
     *
     * @param ids by their text
     * @param longest text, its characters
     * @param largest id
     */
    record Vocabulary(Map<String, Integer> ids, int longest, int largest) {}

    WordPiece(Words words, Vocabulary vocabulary, Map<String, Integer> added, String unknown, String prefix,
            int longestWord, int[] before, int[] after, int most) {
        this.words = words;
        this.vocabulary = vocabulary.ids;
        this.added = added;
        if (!vocabulary.ids.containsKey(unknown)) {
            throw new FormatException("its vocabulary lacks the token '" + unknown + "' for what is unknown");
        }
        this.unknown = vocabulary.ids.get(unknown);
        this.prefix = prefix;
        this.longestWord = longestWord;
        this.before = before;
        this.after = after;
        this.most = most;
        if (most <= before.length + after.length) {
            throw new FormatException("it truncates to " + most + " tokens, which leaves none for text");
        }
        int largest = vocabulary.largest;
        for (int id : added.values()) {
            largest = Math.max(largest, id);
        }
        for (int[] ids : List.of(before, after)) {
            for (int id : ids) {
                largest = Math.max(largest, id);
            }
        }
        this.longestToken = vocabulary.longest;
        this.size = largest + 1;
    }

    /**
     * Reads a tokenizer.
     *
     * @param file a {@code tokenizer.json}
     * @return the tokenizer
     * @throws FormatException in one line that names the file, if it holds another kind of tokenizer or none
     * @throws IOException if it cannot be read
     */
    public static WordPiece read(Path file) throws IOException {
        try (InputStream stream = Files.newInputStream(file)) {
            return read(stream);
        } catch (FormatException e) {
            throw new FormatException(file + ": " + e.getMessage(), e);
        }
    }

    /**
     * Reads a tokenizer to the end of a stream, which stays open.
     *
     * @param stream the text of a {@code tokenizer.json}, of at most 64 MB
     * @return the tokenizer
     * @throws FormatException if it holds another kind of tokenizer or none
     * @throws IOException if it cannot be read
     */
    public static WordPiece read(InputStream stream) throws IOException {
        byte[] bytes = stream.readNBytes(LARGEST + 1);
        if (bytes.length > LARGEST) {
            throw new FormatException("more than " + LARGEST + " bytes, too many for a tokenizer.json");
        }
        return TokenizerFile.parse(bytes);
    }

    /** {@return how many tokens there are, or could be: the largest id and 1} */
    public int size() {
        return size;
    }

    /** {@return the number of tokens that a text has at most, those around it included; what follows is cut off} */
    public int most() {
        return most;
    }

    /**
     * The tokens of a text, with those that BERT has around it.
     *
     * @param text any; characters that are no Unicode count as control characters
     * @return their ids, at most {@link #most}
     */
    public int[] encode(String text) {
        return encode(text, most);
    }

    /**
     * The same, of so many tokens at most.
     *
     * @param text any
     * @param limit above the number of tokens around a text, which an empty text has
     * @return their ids, at most {@code limit} and {@link #most}
     */
    public int[] encode(String text, int limit) {
        int room = Math.min(limit, most) - after.length;
        if (room <= before.length) {
            throw new IllegalArgumentException("a limit of " + limit + " tokens leaves none for text");
        }
        Ids ids = new Ids(before, room);
        int start = 0;
        for (int at = 0; at < text.length() && !ids.isFull(); at++) {
            String token = addedAt(text, at);
            if (token != null) {
                pieces(text.substring(start, at), ids);
                ids.add(added.get(token));
                at += token.length() - 1;
                start = at + 1;
            }
        }
        pieces(text.substring(start), ids);
        int[] all = Arrays.copyOf(ids.ids, ids.count + after.length);
        System.arraycopy(after, 0, all, ids.count, after.length);
        return all;
    }

    /** The added token that begins at a place, the longest of several; null if none does. */
    private String addedAt(String text, int at) {
        String longest = null;
        for (String token : added.keySet()) {
            if (text.startsWith(token, at) && (longest == null || token.length() > longest.length())) {
                longest = token;
            }
        }
        return longest;
    }

    private void pieces(String text, Ids ids) {
        if (text.isEmpty() || ids.isFull()) {
            return;
        }
        for (String word : words.of(text)) {
            if (ids.isFull()) {
                return;
            }
            int begun = ids.count;
            if (word.codePointCount(0, word.length()) > longestWord || !cut(word, ids)) {
                ids.count = begun;
                ids.add(unknown);
            }
        }
    }

    /** Cuts a word from the left into the longest tokens; false if there are none for all of it. */
    private boolean cut(String word, Ids ids) {
        for (int start = 0; start < word.length();) {
            int end = Math.min(word.length(), start + longestToken);
            Integer id = null;
            for (; end > start; end--) {
                String piece = word.substring(start, end);
                id = vocabulary.get(start == 0 ? piece : prefix + piece);
                if (id != null) {
                    break;
                }
            }
            if (id == null) {
                return false;
            }
            ids.add(id);
            start = end;
        }
        return true;
    }

    /** Ids so far, as many as there is room for. */
    private static final class Ids {
        private final int room;
        private int[] ids;
        private int count;

        Ids(int[] first, int room) {
            this.room = room;
            this.ids = Arrays.copyOf(first, first.length + 16);
            this.count = first.length;
        }

        boolean isFull() {
            return count >= room;
        }

        void add(int id) {
            if (isFull()) {
                return;
            }
            if (count == ids.length) {
                ids = Arrays.copyOf(ids, 2 * count);
            }
            ids[count++] = id;
        }
    }
}
