package io.pare.text;

import io.pare.file.FormatException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON (RFC 8259) as maps, lists, strings, numbers, booleans and null: whole numbers of few digits as
 * integers, others as doubles.
 *
 * <p>Jackson would do, but it is optional: what predicts needs the library's own jar alone. Bytes are read as they are, and
 * strings made of their parts: a vocabulary is most of what a JVM reads before it has compiled anything.
 */
final class Json {
    /** Deeper nesting is an attack on the stack. */
    private static final int DEEPEST = 100;
    /** Digits of an integer. */
    private static final int FEW_DIGITS = 9;
    private static final String NUMBER = "-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?";

    private final byte[] text;
    private int at;
    private int depth;

    private Json(byte[] text) {
        this.text = text;
    }

    /**
     * The value that a text in UTF-8 is.
     *
     * @throws FormatException if it is no JSON, with the line
     */
    static @Nullable Object parse(byte[] text) {
        Json json = new Json(text);
        Object value = json.value();
        json.space();
        if (json.at < text.length) {
            throw json.broken("more follows the value");
        }
        return value;
    }

    private @Nullable Object value() {
        space();
        return switch (peek()) {
            case '{' -> map();
            case '[' -> list();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", null);
            default -> number();
        };
    }

    private Map<String, Object> map() {
        Map<String, Object> map = new LinkedHashMap<>();
        enter();
        while (!ends('}', map.isEmpty())) {
            space();
            String key = string();
            space();
            expect(':');
            int before = map.size();
            map.put(key, value());
            if (map.size() == before) {
                throw broken("the name '" + key + "' stands twice in an object");
            }
        }
        return map;
    }

    private List<Object> list() {
        List<Object> list = new ArrayList<>();
        enter();
        while (!ends(']', list.isEmpty())) {
            list.add(value());
        }
        return list;
    }

    private void enter() {
        at++;
        if (++depth > DEEPEST) {
            throw broken("more than " + DEEPEST + " values lie in each other");
        }
    }

    /** Whether an object or array ends here; otherwise it goes on, after a comma unless it is empty. */
    private boolean ends(char end, boolean isEmpty) {
        space();
        if (peek() == end) {
            at++;
            depth--;
            return true;
        }
        if (!isEmpty) {
            expect(',');
        }
        return false;
    }

    private String string() {
        expect('"');
        int start = at;
        boolean ascii = plain();
        if (peek() == '"') {
            return text(start, at++, ascii);
        }
        StringBuilder string = new StringBuilder(text(start, at, ascii));
        while (peek() != '"') {
            if (peek() == '\\') {
                string.append(escaped());
            } else {
                start = at;
                ascii = plain();
                string.append(text(start, at, ascii));
            }
        }
        at++;
        return string.toString();
    }

    /** Goes on to the next quotation mark or escape; whether all before it is ASCII. */
    private boolean plain() {
        int all = 0;
        int i = at;
        while (i < text.length && text[i] != '"' && text[i] != '\\') {
            int c = text[i++];
            if (c >= 0 && c < ' ') {
                at = i - 1;
                throw broken("a string has a control character in it");
            }
            all |= c;
        }
        at = i;
        return all >= 0;
    }

    private String text(int from, int to, boolean ascii) {
        if (ascii) {
            return new String(text, from, to - from, StandardCharsets.ISO_8859_1);
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text, from, to - from)).toString();
        } catch (CharacterCodingException e) {
            throw new FormatException("line " + line() + " is not UTF-8", e);
        }
    }

    private char escaped() {
        at++;
        char c = peek();
        at++;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> unit();
            default -> throw broken("\\" + c + " is no escape");
        };
    }

    private char unit() {
        int unit = 0;
        for (int i = 0; i < 4; i++) {
            int digit = Character.digit(peek(), 16);
            if (digit < 0) {
                throw broken("\\u needs four hexadecimal digits");
            }
            unit = unit << 4 | digit;
            at++;
        }
        return (char) unit;
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        for (int i = 0; i < word.length(); i++) {
            if (at + i >= text.length || text[at + i] != word.charAt(i)) {
                throw broken("a value is expected");
            }
        }
        at += word.length();
        return value;
    }

    private Number number() {
        int start = at;
        int whole = 0;
        while (at < text.length && isDigit(text[at]) && at - start < FEW_DIGITS) {
            whole = 10 * whole + text[at++] - '0';
        }
        boolean goesOn = at < text.length && isOfNumber(text[at]);
        if (!goesOn && at > start && (text[start] != '0' || at == start + 1)) {
            return whole;
        }
        while (at < text.length && isOfNumber(text[at])) {
            at++;
        }
        String number = text(start, at, true);
        if (!number.matches(NUMBER)) {
            throw broken("a value is expected");
        }
        return Double.valueOf(number);
    }

    private static boolean isDigit(byte c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isOfNumber(byte c) {
        return isDigit(c) || c == '-' || c == '.' || c == '+' || c == 'e' || c == 'E';
    }

    private void space() {
        while (at < text.length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
            at++;
        }
    }

    /** The byte at hand; those that are no ASCII stand nowhere but in strings. */
    private char peek() {
        if (at == text.length) {
            throw broken("the text ends too early");
        }
        return (char) (text[at] & 0xff);
    }

    private void expect(char c) {
        if (peek() != c) {
            throw broken("'" + c + "' is expected");
        }
        at++;
    }

    private FormatException broken(String what) {
        return new FormatException("line " + line() + " is no JSON: " + what);
    }

    private long line() {
        long line = 1;
        for (int i = 0; i < Math.min(at, text.length); i++) {
            line += text[i] == '\n' ? 1 : 0;
        }
        return line;
    }
}
