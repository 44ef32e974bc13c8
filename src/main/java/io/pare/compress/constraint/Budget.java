package io.pare.compress.constraint;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a network may cost at most, in a user's unit: {@code latency<=20us}, {@code file-bytes<=1500}, {@code macs<=40M}.
 *
 * @param quantity that is bounded
 * @param most of it, in the unit of the quantity, above 0
 */
public record Budget(Quantity quantity, double most) {
    private static final double OF_TIME = 0.95;
    private static final Pattern FORM = Pattern.compile("([a-z-]+)\\s*<=\\s*([0-9.]+(?:[eE][0-9]+)?)\\s*([A-Za-z]*)");

    /** What budgets are of. */
    public enum Quantity {
        /** Microseconds of one prediction on one thread. */
        LATENCY("latency", "us", "ns", 1e-3, "us", 1.0, "ms", 1e3, "s", 1e6),
        /** Microjoules of one prediction. */
        ENERGY("energy", "uJ", "nJ", 1e-3, "uJ", 1.0, "mJ", 1e3, "J", 1e6),
        /** Multiply-adds of one prediction where zeros are skipped. */
        MACS("macs", "multiply-adds", "k", 1e3, "M", 1e6, "G", 1e9),
        /** Bits of a weight times those of an activation, summed over the multiply-adds. */
        BOPS("bops", "bit operations", "k", 1e3, "M", 1e6, "G", 1e9, "T", 1e12),
        /** Bytes of the whole {@code .pare} file. */
        FILE_BYTES("file-bytes", "bytes", "k", 1024.0, "K", 1024.0, "M", 1048576.0, "G", 1073741824.0),
        /** Bytes of weight data: bits times non-zeros, over 8. */
        WEIGHT_BYTES("weight-bytes", "bytes", "k", 1024.0, "K", 1024.0, "M", 1048576.0, "G", 1073741824.0);

        private final String key;
        private final String unit;
        private final Map<String, Double> units = new LinkedHashMap<>();

        Quantity(String key, String unit, Object... units) {
            this.key = key;
            this.unit = unit;
            for (int i = 0; i < units.length; i += 2) {
                this.units.put((String) units[i], (Double) units[i + 1]);
            }
        }

        /** {@return the unit of figures, such as {@code us}} */
        public String unit() {
            return unit;
        }

        /**
         * {@return the quantity of that name}
         *
         * @param key such as {@code latency}
         * @throws IllegalArgumentException naming all there are
         */
        public static Quantity of(String key) {
            return Arrays.stream(values()).filter(each -> each.key.equals(key)).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no budget is of '" + key + "': there are "
                            + Arrays.stream(values()).map(each -> each.key).collect(Collectors.joining(", "))));
        }

        /** {@return the name in budgets and files, such as {@code file-bytes}} */
        @Override
        public String toString() {
            return key;
        }
    }

    /**
     * Checks the figure.
     *
     * @throws IllegalArgumentException if it is not above 0, or not finite
     */
    public Budget {
        if (!(most > 0 && Double.isFinite(most))) {
            throw new IllegalArgumentException("a budget of " + quantity + " cannot be " + most + ": it is above 0");
        }
    }

    /**
     * {@return a budget as users write it}
     *
     * @param text {@code QUANTITY<=NUMBER}, with a unit behind the number or none
     * @throws IllegalArgumentException saying what is wrong with it
     */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    public static Budget parse(String text) {
        Matcher parts = FORM.matcher(text.strip());
        if (!parts.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no budget such as latency<=20us, file-bytes<=1500 or"
                    + " macs<=40M");
        }
        Quantity quantity = Quantity.of(parts.group(1));
        String unit = parts.group(3);
        Double times = unit.isEmpty() ? Double.valueOf(1) : quantity.units.get(unit);
        if (times == null) {
            throw new IllegalArgumentException("'" + text + "' has the unit '" + unit + "'; " + quantity + " takes "
                    + String.join(", ", quantity.units.keySet()));
        }
        try {
            return new Budget(quantity, Double.parseDouble(parts.group(2)) * times);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "': " + parts.group(2) + " is no number", e);
        }
    }

    /**
     * {@return budgets of which each is of another quantity}
     *
     * @param texts as users write them
     * @throws IllegalArgumentException if one is no budget, or two are of one quantity
     */
    public static List<Budget> parse(List<String> texts) {
        return apart(texts.stream().map(Budget::parse).toList());
    }

    /**
     * {@return the same budgets, of which each is of another quantity}
     *
     * @param budgets of a search or a stage
     * @throws IllegalArgumentException if two are of one quantity
     */
    public static List<Budget> apart(List<Budget> budgets) {
        for (Budget budget : budgets) {
            if (budgets.stream().filter(each -> each.quantity == budget.quantity).count() > 1) {
                throw new IllegalArgumentException("two budgets are of " + budget.quantity + ": give one");
            }
        }
        return List.copyOf(budgets);
    }

    /** {@return what is aimed at: of a time a little less, for a table of costs foretells it within some per cent} */
    public double aim() {
        return quantity == Quantity.LATENCY ? OF_TIME * most : most;
    }

    /** {@return the budget as {@link #parse(String)} reads it, in the quantity's own unit} */
    @JsonValue
    @Override
    public String toString() {
        String number = most == Math.rint(most) && most < 1e15
                ? String.format(Locale.ROOT, "%.0f", most)
                : Double.toString(most);
        return quantity + "<=" + number + (quantity.units.containsKey(quantity.unit) ? quantity.unit : "");
    }
}
