package io.pare.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/**
 * One axis of a chart: how values are spaced, in which unit they are written, and which range is shown at least.
 *
 * @param label what is measured
 * @param scale how values are spaced
 * @param unit in which they are written
 * @param from the axis begins here, or at the smallest value if that is below; NaN for no such bound
 * @param to the axis ends here, or at the largest value if that is above; NaN for no such bound
 */
public record Axis(String label, Scale scale, Unit unit, double from, double to) {
    /** How values are spaced. */
    public enum Scale {
        /** By their difference. */
        LINEAR,
        /** By their difference, with ticks at whole numbers only. */
        WHOLE,
        /** By their ratio; values of 0 and below have no place. */
        LOGARITHMIC
    }

    /** How values are written. */
    public enum Unit {
        /** As they are. */
        NUMBER,
        /** Fractions of 1 as percentages. */
        PERCENT
    }

    private static final String SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
    private static final int DIGITS = 4;
    /** Longer numbers are written with a power of ten. */
    private static final int MOST_DECIMALS = 5;
    private static final BigDecimal LARGE = BigDecimal.valueOf(10_000_000);
    /** Larger magnitudes, and their reciprocals on a logarithmic axis, have no place: differences could overflow. */
    private static final double LIMIT = 1e100;

    public static Axis linear(String label) {
        return new Axis(label, Scale.LINEAR, Unit.NUMBER, Double.NaN, Double.NaN);
    }

    public static Axis whole(String label) {
        return new Axis(label, Scale.WHOLE, Unit.NUMBER, Double.NaN, Double.NaN);
    }

    public static Axis logarithmic(String label) {
        return new Axis(label, Scale.LOGARITHMIC, Unit.NUMBER, Double.NaN, Double.NaN);
    }

    /** The same for fractions of 1, written as percentages. */
    public Axis percent() {
        return new Axis(label, scale, Unit.PERCENT, from, to);
    }

    /** The same with a range that is shown at least; NaN for an end that the values decide. */
    public Axis within(double from, double to) {
        return new Axis(label, scale, unit, from, to);
    }

    /** Whether the value has a place on the axis. */
    boolean shows(double value) {
        return Math.abs(value) <= LIMIT && (scale != Scale.LOGARITHMIC || value >= 1 / LIMIT);
    }

    /** A measured value to four digits, with all of them where it is no whole number. */
    String text(double value) {
        if (!Double.isFinite(value)) {
            return Double.toString(value);
        }
        BigDecimal exact = BigDecimal.valueOf(value);
        BigDecimal shown = unit == Unit.PERCENT ? exact.movePointRight(2) : exact;
        int digits = Math.max(DIGITS, shown.precision() - shown.scale());
        BigDecimal rounded = shown.round(new MathContext(digits, RoundingMode.HALF_EVEN));
        BigDecimal bare = rounded.stripTrailingZeros();
        boolean fraction = unit == Unit.NUMBER && bare.scale() > 0;
        return written(fraction ? rounded.setScale(rounded.scale() + digits - rounded.precision()) : bare, powers(bare))
                + suffix();
    }

    /** A tick's value in the axis's unit, without the unit's sign. */
    BigDecimal shown(BigDecimal tick) {
        return unit == Unit.PERCENT ? tick.movePointRight(2) : tick;
    }

    /** What follows a number. */
    String suffix() {
        return unit == Unit.PERCENT ? "\u00a0%" : "";
    }

    /** Whether a number is too long to be written without a power of ten. */
    static boolean powers(BigDecimal shown) {
        return shown.signum() != 0 && (shown.abs().compareTo(LARGE) >= 0
                || shown.abs().compareTo(BigDecimal.ONE) < 0 && shown.precision() - shown.scale() < 2 - MOST_DECIMALS
                || shown.stripTrailingZeros().scale() > MOST_DECIMALS + DIGITS);
    }

    /** A number with its decimals and separators of thousands, or with a power of ten. */
    static String written(BigDecimal number, boolean power) {
        if (!power || number.signum() == 0) {
            int decimals = Math.max(0, number.scale());
            return signed(String.format(Locale.ROOT, "%,." + decimals + "f", number));
        }
        BigDecimal bare = number.stripTrailingZeros();
        int exponent = bare.precision() - bare.scale() - 1;
        String mantissa = bare.movePointLeft(exponent).toPlainString();
        StringBuilder text = new StringBuilder(mantissa.equals("1") ? "" : mantissa + "·").append("10");
        for (char c : Integer.toString(exponent).toCharArray()) {
            text.append(c == '-' ? '⁻' : SUPERSCRIPTS.charAt(c - '0'));
        }
        return signed(text.toString());
    }

    private static String signed(String number) {
        return number.replace('-', '−');
    }
}
