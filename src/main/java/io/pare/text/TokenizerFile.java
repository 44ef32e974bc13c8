package io.pare.text;

import io.pare.file.FormatException;
import io.pare.text.WordPiece.Vocabulary;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads a {@code tokenizer.json}, the format of Hugging Face's tokenizers, as far as BERT's kind goes. */
final class TokenizerFile {
    private final Map<?, ?> root;

    private TokenizerFile(Map<?, ?> root) {
        this.root = root;
    }

    /** The tokenizer of a file, in UTF-8. */
    static WordPiece parse(byte[] text) {
        if (!(Json.parse(text) instanceof Map<?, ?> root) || !(root.get("model") instanceof Map<?, ?>)) {
            throw new FormatException("no tokenizer.json: it has no object 'model'");
        }
        return new TokenizerFile(root).tokenizer();
    }

    private WordPiece tokenizer() {
        Map<?, ?> model = part("model", "WordPiece");
        Map<?, ?> normalizer = part("normalizer", "BertNormalizer");
        part("pre_tokenizer", "BertPreTokenizer");
        boolean lowercase = flag(normalizer, "lowercase");
        Words words = new Words(flag(normalizer, "clean_text"), flag(normalizer, "handle_chinese_chars"),
                normalizer.get("strip_accents") == null ? lowercase : flag(normalizer, "strip_accents"), lowercase);
        Vocabulary vocabulary = vocabulary(model);
        Map<String, Integer> added = added();
        List<Integer> before = new ArrayList<>();
        List<Integer> after = new ArrayList<>();
        template(before, after);
        return new WordPiece(words, vocabulary, added, text(model, "unk_token"),
                text(model, "continuing_subword_prefix"), count(model, "max_input_chars_per_word"), ints(before),
                ints(after), most());
    }

    private static int[] ints(List<Integer> list) {
        return list.stream().mapToInt(i -> i).toArray();
    }

    /** A part of the file, which must be of such a type: others cut text in other ways. */
    private Map<?, ?> part(String name, String type) {
        Object part = root.get(name);
        Object own = part instanceof Map<?, ?> map ? map.get("type") : null;
        // Files of the first versions do not say what a model with a prefix of subwords is.
        boolean unsaid = own == null && part instanceof Map<?, ?> map && map.containsKey("continuing_subword_prefix")
                && map.containsKey("max_input_chars_per_word");
        if (!type.equals(own) && !unsaid) {
            throw new FormatException("its " + name + " is " + (own == null ? "missing" : own) + ", where BERT's is "
                    + type + ": Pare reads tokenizers of BERT's kind alone");
        }
        return (Map<?, ?>) part;
    }

    private static Vocabulary vocabulary(Map<?, ?> model) {
        if (!(model.get("vocab") instanceof Map<?, ?> tokens)) {
            throw new FormatException("its model has no object 'vocab'");
        }
        int longest = 0;
        int largest = 0;
        Map<String, Integer> ids = HashMap.newHashMap(tokens.size());
        for (Map.Entry<?, ?> token : tokens.entrySet()) {
            String text = (String) token.getKey();
            Integer id = id("token", text, token.getValue());
            ids.put(text, id);
            longest = Math.max(longest, text.length());
            largest = Math.max(largest, id);
        }
        return new Vocabulary(ids, longest, largest);
    }

    private Map<String, Integer> added() {
        Map<String, Integer> added = new LinkedHashMap<>();
        if (root.get("added_tokens") instanceof List<?> tokens) {
            for (Object token : tokens) {
                Map<?, ?> map = map("added_tokens", token);
                for (String unread : List.of("single_word", "lstrip", "rstrip", "normalized")) {
                    if (flag(map, unread)) {
                        throw new FormatException("the added token '" + map.get("content") + "' is marked " + unread
                                + ", which Pare does not read");
                    }
                }
                added.put(text(map, "content"), id("token", map.get("content"), map.get("id")));
            }
        }
        return added;
    }

    /** The tokens around a text. */
    private void template(List<Integer> before, List<Integer> after) {
        Map<?, ?> processor = part("post_processor", "TemplateProcessing");
        Map<?, ?> tokens = map("special_tokens", processor.get("special_tokens"));
        boolean seen = false;
        for (Object piece : list("single", processor.get("single"))) {
            Map<?, ?> map = map("single", piece);
            if (map.get("SpecialToken") instanceof Map<?, ?> special) {
                Object name = special.get("id");
                for (Object id : list("ids", map("special token", tokens.get(name)).get("ids"))) {
                    (seen ? after : before).add(id("token", name, id));
                }
            } else {
                seen = true;
            }
        }
        if (!seen) {
            throw new FormatException("its post_processor has no place for the text");
        }
    }

    private int most() {
        if (!(root.get("truncation") instanceof Map<?, ?> truncation)) {
            return Integer.MAX_VALUE;
        }
        Object direction = Objects.requireNonNullElse(truncation.get("direction"), "Right");
        if (!direction.equals("Right")) {
            throw new FormatException(
                    "it truncates text on the side '" + direction + "', Pare does on the Right alone");
        }
        return count(truncation, "max_length");
    }

    private static Map<?, ?> map(String what, @Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            return map;
        }
        throw new FormatException("its '" + what + "' is no object");
    }

    private static List<?> list(String what, @Nullable Object value) {
        if (value instanceof List<?> list) {
            return list;
        }
        throw new FormatException("its '" + what + "' is no array");
    }

    private static boolean flag(Map<?, ?> map, String name) {
        if (map.get(name) instanceof Boolean flag) {
            return flag;
        }
        throw new FormatException("its '" + name + "' is neither true nor false");
    }

    private static String text(Map<?, ?> map, String name) {
        if (map.get(name) instanceof String text) {
            return text;
        }
        throw new FormatException("its '" + name + "' is no string");
    }

    private static int count(Map<?, ?> map, String name) {
        int count = id("setting", name, map.get(name));
        if (count == 0) {
            throw new FormatException("its '" + name + "' is 0");
        }
        return count;
    }

    /** A number from 0 on, which {@link Json} reads as an integer. */
    private static Integer id(String what, @Nullable Object name, @Nullable Object value) {
        if (value instanceof Integer number) {
            return number;
        }
        throw new FormatException(
                "its " + what + " '" + name + "' has " + value + " where a number from 0 on is needed");
    }
}
