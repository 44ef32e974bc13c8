package io.pare.cli;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads an enum constant from a word in any case, with dashes or underscores. A word that is none of them is refused with a
 * list of those that are, in lower case and with dashes.
 */
record Words<E extends Enum<E>>(Class<E> type) implements ITypeConverter<E> {
    @Override
    public E convert(String word) {
        for (E constant : type.getEnumConstants()) {
            if (word(constant).equalsIgnoreCase(word.replace('_', '-'))) {
                return constant;
            }
        }
        throw new TypeConversionException("'" + word + "' is none of " + Arrays.stream(type.getEnumConstants())
                .map(Words::word).collect(Collectors.joining(", ")));
    }

    /** The word by which a user names {@code constant}. */
    static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
