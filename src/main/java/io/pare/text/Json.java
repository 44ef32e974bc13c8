package io.pare.text;

import io.pare.file.FormatException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads JSON (RFC 8259) as maps, lists, strings, doubles, booleans and null.
 *
 * <p>Jackson would do, but it is optional: what predicts needs the library's own jar alone.
 */
final class Json {
    /** Deeper nesting is an attack on the stack. */
    private static final int DEEPEST = 100;
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9]\\d*)(\\.\\d+)?([eE][+-]?\\d+)?");

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    /**
     * The value that a text is.
     *
     * @throws FormatException if it is no JSON, with the line
     */
    static @Nullable Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.space();
        if (json.at < text.length()) {
            throw json.broken("more follows the value");
        }
        return value;
    }

    private @Nullable Object value() {
        space();
        char first = peek();
        return switch (first) {
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
            if (map.containsKey(key)) {
                throw broken("the name '" + key + "' stands twice in an object");
            }
            map.put(key, value());
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
        while (peek() != '"' && peek() != '\\') {
            plain();
        }
        if (peek() == '"') {
            return text.substring(start, at++);
        }
        StringBuilder string = new StringBuilder().append(text, start, at);
        while (peek() != '"') {
            string.append(peek() == '\\' ? escaped() : plain());
        }
        at++;
        return string.toString();
    }

    private char plain() {
        char c = text.charAt(at);
        if (c < ' ') {
            throw broken("a string has a control character in it");
        }
        at++;
        return c;
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
            if (digit < 0 || peek() > 'f') {
                throw broken("\\u needs four hexadecimal digits");
            }
            unit = unit << 4 | digit;
            at++;
        }
        return (char) unit;
    }

    private @Nullable Object word(String word, @Nullable Object value) {
        if (!text.startsWith(word, at)) {
            throw broken("a value is expected");
        }
        at += word.length();
        return value;
    }

    private Double number() {
        int start = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        String number = text.substring(start, at);
        if (!NUMBER.matcher(number).matches()) {
            throw broken("a value is expected");
        }
        return Double.valueOf(number);
    }

    private void space() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private char peek() {
        if (at == text.length()) {
            throw broken("the text ends too early");
        }
        return text.charAt(at);
    }

    private void expect(char c) {
        if (peek() != c) {
            throw broken("'" + c + "' is expected");
        }
        at++;
    }

    private FormatException broken(String what) {
        long line = 1 + text.substring(0, Math.min(at, text.length())).chars().filter(c -> c == '\n').count();
        return new FormatException("line " + line + " is no JSON: " + what);
    }
}
