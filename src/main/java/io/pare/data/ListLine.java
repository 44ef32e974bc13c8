package io.pare.data;

import java.util.ArrayList;
import java.util.List;

/**
 * Fields of a line of comma-separated values, as RFC 4180 has them: quoted ones hold separators, and "" for a quote.
 *
 * <p>Any thread may call this.
 */
public final class ListLine {
    private ListLine() {}

    /** What separates the fields of a file: a semicolon if its first line has some and no comma, both outside quotes. */
    static char separator(String firstLine) {
        return fields(firstLine, ',').size() == 1 && fields(firstLine, ';').size() > 1 ? ';' : ',';
    }

    /**
     * {@return the fields without quotes and without blanks around them; none if a quote is never closed}
     *
     * @param line without its end
     * @param separator of fields
     */
    public static List<String> fields(String line, char separator) {
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (quoted && c == '"' && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                field.append(c);
                i++;
            } else if (c == '"' && (quoted || field.toString().isBlank())) {
                quoted = !quoted;
            } else if (c == separator && !quoted) {
                fields.add(field.toString().strip());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        fields.add(field.toString().strip());
        return quoted ? List.of() : fields;
    }
}
