package io.pare.compress.stage;

import io.pare.compress.TensorPattern;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Checks of keys that several stages have. */
final class Keys {
    /** Most bits of a value: a codebook has 256. */
    static final int MOST_BITS = 8;

    private Keys() {}

    static Map<String, Integer> widths(Map<String, Integer> bits) {
        Map<String, Integer> widths = TensorPattern.inOrder("bits", bits);
        widths.forEach((pattern, width) -> {
            if (width < 1 || width > MOST_BITS) {
                throw new IllegalArgumentException("bits: " + pattern + " cannot be " + width + ": a value takes 1 to "
                        + MOST_BITS + "; leave a layer out and it stays in float");
            }
        });
        return widths;
    }

    static <T> List<T> listed(String what, List<T> values) {
        if (values.stream().anyMatch(Objects::isNull)) {
            throw new IllegalArgumentException(what + " has an empty entry");
        }
        return List.copyOf(values);
    }

    static void check(boolean fits, String name, Object value) {
        if (!fits) {
            throw new IllegalArgumentException(name + " cannot be " + value);
        }
    }

    /** The tensors that a stage's {@code bits} names, which must be given. */
    static List<Forecast.Weights> named(Forecast forecast, Map<String, Integer> bits) {
        if (bits.isEmpty()) {
            throw forecast.refused("needs 'bits', such as {\"conv*\": 3, \"fc*\": 2}");
        }
        return forecast.named(bits.keySet());
    }

    /** What to do where a stage that chooses values by {@code bits} breaks a claim. */
    static String remedy(Claim claim, Map<String, Integer> bits) {
        return claim.tensors().stream().allMatch(name -> TensorPattern.chosen(bits.keySet(), name) != null)
                ? "ask for no more bits there and for levels of the same kind, or leave one of the two out"
                : "name the layers of both in one stage's bits";
    }
}
