package io.pare.cli;

import io.pare.data.Background;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The option that lays transparent pictures upon a colour. */
final class BackgroundOption {
    @Option(names = "--background", paramLabel = "COLOUR", converter = Colour.class,
            description = "Lay transparent pictures upon this colour: a name such as white, or #rrggbb (default: drop"
                    + " transparency, whatever colour lies under it).")
    private String text;

    /** Checks that it is a colour. */
    static final class Colour implements ITypeConverter<String> {
        @Override
        public String convert(String value) {
            try {
                Background.parse(value);
                return value;
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    /** What was given, or {@code null}. */
    String text() {
        return text;
    }

    /** The colour, or {@code null}. */
    Background colour() {
        return text == null ? null : Background.parse(text);
    }
}
