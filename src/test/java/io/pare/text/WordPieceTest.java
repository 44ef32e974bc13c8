package io.pare.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class WordPieceTest {
    private static final String SMALL = """
            {"truncation": null,
             "added_tokens": [{"id": 1, "content": "[X]", "single_word": false, "lstrip": false, "rstrip": false,
                               "normalized": false}],
             "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                            "strip_accents": null, "lowercase": true},
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "TemplateProcessing",
               "single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
               "special_tokens": {"[X]": {"id": "[X]", "ids": [1], "tokens": ["[X]"]}}},
             "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##",
                       "max_input_chars_per_word": 100,
                       "vocab": {"?": 0, "[X]": 1, "a": 2, "##a": 3, "##aa": 4, "b\\u00e9\\n": 5, "\u03c3": 6, "é": 7}}}
            """;

    private static WordPiece minilm;

    @TempDir
    Path folder;

    @BeforeAll
    static void read() throws IOException {
        try (InputStream stream = WordPieceTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
            minilm = WordPiece.read(stream);
        }
    }

    private static WordPiece of(String json) throws IOException {
        return WordPiece.read(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)));
    }

    /** Ids between those of [CLS] and [SEP], as Hugging Face's tokenizers 0.22 give them for this vocabulary. */
    static Stream<Arguments> published() {
        return Stream.of(Arguments.of("hello world", "7592 2088"),
                Arguments.of("unaffable", "14477 20961 3468"),
                Arguments.of("supercalifragilisticexpialidocious",
                        "3565 9289 10128 29181 24411 4588 10288 19312 21273 10085 6313"),
                Arguments.of("1,234.5e-6", "1015 1010 22018 1012 1019 2063 1011 1020"),
                Arguments.of("don't $5+6=11 ~`|^", "2123 1005 1056 1002 1019 1009 1020 1027 2340 1066 1036 1064 1034"),
                Arguments.of("\u00bfQu\u00e9? \u00aboui\u00bb \u2026 \u201cx\u201d\u2014y",
                        "1094 10861 1029 1077 15068 2072 1090 1529 1523 1060 1524 1517 1061"),
                // Accents, in one character and in two; letters that small ones replace by two.
                Arguments.of("\u00c9\u0301cole na\u00efve \u00c7A", "12431 15743 6187"),
                Arguments.of("A\u0300\u0301", "1037"), Arguments.of("\u0300", ""),
                Arguments.of("\u0130stanbul \u03a3\u0391\u03a3 \u00df \ufb01", "9960 1173 14608 29733 1096 1984"),
                // CJK, kana and Hangul.
                Arguments.of(
                        "\u4e2d\u6587 and \u65e5\u672c\u8a9e\u30c6\u30ad\u30b9\u30c8 \ud55c\uad6d\uc5b4",
                        "1746 1861 1998 1864 1876 1950 1713 30227 30233 30240 1469 30006 30021 29991 30014 30020 29999"
                                + " 30008"),
                // Emoji and what lies beyond the first plane.
                Arguments.of("I \u2764 \ud83e\udd17 emoji\ud83d\udc4d\ud83c\udffd!", "1045 100 100 100 999"),
                Arguments.of("\ud835\udcb3 \ud840\udc00 a\ud83d\ude00b", "100 100 100"),
                // White space of all kinds, control characters, what formats and private use.
                Arguments.of("\0a\ufffdb\u0007c\td\ne\rf\u2028g\u00a0h\u3000i", "5925 1040 1041 1042 1043 1044 1045"),
                Arguments.of("\u1680k\u0085l", "1047 2140"), Arguments.of("a\u00adb\u200bc", "5925"),
                Arguments.of("a\ue000b", "11113"), Arguments.of("\udb40\udc01x", "1060"),
                Arguments.of("\u0378x", "100"),
                Arguments.of("x".repeat(101), "100"),
                Arguments.of("x".repeat(100), "22038 20348" + " 20348".repeat(48)),
                // Tokens of the vocabulary's own.
                Arguments.of("[MASK] it [SEP]", "103 2009 102"), Arguments.of("[mask]", "1031 7308 1033"),
                Arguments.of("[UNK][CLS] [PAD]", "100 101 0"), Arguments.of("", ""));
    }

    @ParameterizedTest
    @MethodSource("published")
    void theIdsAreThosePublished(String text, String ids) {
        String all = Arrays.toString(minilm.encode(text)).replaceAll("[\\[\\],]", "");
        assertEquals(("101 " + ids + " 102").replace("  ", " "), all);
    }

    @Test
    void aTextEndsWhereTheFileOrTheCallerSays() {
        assertEquals(128, minilm.most());
        assertEquals(30_522, minilm.size());
        int[] all = minilm.encode("hello world ".repeat(1000));
        assertEquals(128, all.length);
        assertEquals(102, all[127]);
        assertArrayEquals(new int[]{101, 7592, 2088, 102}, minilm.encode("hello world again", 4));
        // The first tokens of a word of which not all have room; a word that has none is one token all the same.
        assertArrayEquals(new int[]{101, 14477, 102}, minilm.encode("unaffable", 3));
        assertArrayEquals(new int[]{101, 100, 102}, minilm.encode("a\ud83d\ude00 b", 3));
        assertThrows(IllegalArgumentException.class, () -> minilm.encode("hello", 2));
    }

    @Test
    void whatIsNoUnicodeIsLeftOut() {
        assertArrayEquals(minilm.encode("ab"), minilm.encode("a\ud800b"));
    }

    @Test
    void aWordIsCutFromTheLeftIntoTheLongestPieces() throws IOException {
        WordPiece small = of(SMALL);
        assertArrayEquals(new int[]{1, 2, 4, 3}, small.encode("aaaa"));
        assertArrayEquals(new int[]{1, 2, 0, 2}, small.encode("A ab \u00e1"));
        assertArrayEquals(new int[]{1, 1, 2, 1}, small.encode("[X]a[X]"));
        assertArrayEquals(new int[]{1, 6}, small.encode("\u03a3"));
        assertArrayEquals(new int[]{1, 0}, small.encode("\u00e9"));
    }

    @Test
    void lettersStayAsTheyAreWhereTheFileSaysSo() throws IOException {
        WordPiece cased = of(SMALL.replace("\"lowercase\": true", "\"lowercase\": false"));
        assertArrayEquals(new int[]{1, 0, 7}, cased.encode("A \u00e9"));
        WordPiece dirty = of(SMALL.replace("\"clean_text\": true", "\"clean_text\": false"));
        assertArrayEquals(new int[]{1, 0, 2}, dirty.encode("\ufffd\ta"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            WordPiece        | BPE          | its model is BPE, where BERT's is WordPiece
            BertNormalizer   | NFC          | its normalizer is NFC, where BERT's is BertNormalizer
            BertPreTokenizer | ByteLevel    | its pre_tokenizer is ByteLevel
            TemplateProcessing | Sequence   | its post_processor is Sequence
            "a": 2           | "a": 2.5     | its token 'a' has 2.5 where a number
            "a": 2           | "a": 2 "c"   | line 12 is no JSON: ',' is expected
            "a": 2           | "?": 2       | line 12 is no JSON: the name '?' stands twice
            "a": 2           | "\\x": 2     | line 12 is no JSON: \\x is no escape
            "a": 2           | "\\u00g0": 2 | line 12 is no JSON: \\u needs four
            "a": 2           | "a": 02      | line 12 is no JSON: a value is expected
            "unk_token": "?" | "unk_token": "!" | its vocabulary lacks the token '!'
            "truncation": null | "truncation": {"max_length": 1} | it truncates to 1 tokens
            "truncation": null | "truncation": {"max_length": 9, "direction": "Left"} | on the side 'Left'
            "lstrip": false  | "lstrip": true | the added token '[X]' is marked lstrip
            "clean_text": true, | ''         | its 'clean_text' is neither true nor false
            "ids": [1]       | "ids": 1     | its 'ids' is no array
            "max_input_chars_per_word": 100 | "max_input_chars_per_word": 0 | is 0
            """)
    void oneLineSaysWhatCannotBeRead(String from, String to, String message) {
        assertTrue(SMALL.contains(from), from);
        FormatException e = assertThrows(FormatException.class, () -> of(SMALL.replace(from, to)));
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void aFileThatIsNoTokenizerIsNamed() throws IOException {
        Path file = folder.resolve("tokenizer.json");
        for (byte[] bytes : List.of(new byte[]{(byte) 0xff}, new byte[0], "[]".getBytes(StandardCharsets.UTF_8),
                "{} {}".getBytes(StandardCharsets.UTF_8), "[".repeat(1000).getBytes(StandardCharsets.UTF_8))) {
            Files.write(file, bytes);
            FormatException e = assertThrows(FormatException.class, () -> WordPiece.read(file));
            assertTrue(e.getMessage().startsWith(file.toString()), e.getMessage());
        }
        Files.writeString(file, SMALL);
        assertEquals(8, WordPiece.read(file).size());
    }
}
