package io.pare.report;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/**
 * The range of an axis and the round numbers on it: 1, 2 or 5 times a power of ten apart, or such numbers themselves on a
 * logarithmic axis.
 *
 * @param axis that they are on
 * @param low its lower end
 * @param high its upper end, above the lower one
 * @param ticks in rising order, all of them within the range
 */
record Ticks(Axis axis, double low, double high, List<Tick> ticks) {
    /**
     * A round number.
     *
     * @param minor whether a narrow page may leave it out
     */
    record Tick(double value, String label, boolean minor) {}

    private static final int[] STEPS = {1, 2, 5};
    private static final int[] DECADES = {1, 2, 3, 5, 10, 20, 50, 100};
    /** Fewer round numbers do not show that an axis is logarithmic; equally spaced ones then say more. */
    private static final int FEW = 3;
    /** Relative differences below this are rounding. */
    private static final double NOISE = 1e-9;

    /**
     * Chooses ticks for values.
     *
     * @param values those without a place on the axis are passed over
     * @param most ticks at most, from 3
     * @param widened whether the range grows to the next tick, except at an end that the axis itself gives
     */
    static Ticks of(Axis axis, List<double[]> values, int most, boolean widened) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        List<double[]> all = new ArrayList<>(values);
        all.add(new double[]{axis.from(), axis.to()});
        for (double[] some : all) {
            for (double value : some) {
                if (axis.shows(value)) {
                    low = Math.min(low, value);
                    high = Math.max(high, value);
                }
            }
        }
        if (low > high) {
            low = axis.scale() == Axis.Scale.LOGARITHMIC ? 1 : 0;
            high = axis.scale() == Axis.Scale.LOGARITHMIC ? 10 : 1;
        }
        if (high - low <= NOISE * Math.max(Math.abs(low), Math.abs(high))) {
            double middle = low;
            double around = switch (axis.scale()) {
                case LINEAR -> middle == 0 ? 1 : Math.abs(middle) / 100;
                case WHOLE -> Math.max(0.5, 2 * NOISE * Math.abs(middle));
                case LOGARITHMIC -> middle / 2;
            };
            low = middle - around;
            high = axis.scale() == Axis.Scale.LOGARITHMIC ? 2 * middle : middle + around;
        }
        boolean down = widened && low != axis.from();
        boolean up = widened && high != axis.to();
        List<BigDecimal> round = switch (axis.scale()) {
            case LINEAR -> equal(low, high, most, down, up, false);
            case WHOLE -> equal(low, high, most, down, up, true);
            case LOGARITHMIC -> ratios(low, high, most, down, up);
        };
        if (!round.isEmpty()) {
            low = Math.min(low, round.getFirst().doubleValue());
            high = Math.max(high, round.getLast().doubleValue());
        }
        return new Ticks(axis, low, high, labelled(axis, round));
    }

    /** Where a value lies between the ends: 0 at the lower, 1 at the upper one, NaN without a place. */
    double part(double value) {
        if (!axis.shows(value)) {
            return Double.NaN;
        }
        return axis.scale() == Axis.Scale.LOGARITHMIC
                ? Math.log(value / low) / Math.log(high / low)
                : (value - low) / (high - low);
    }

    private static List<BigDecimal> equal(double low, double high, int most, boolean down, boolean up, boolean whole) {
        int exponent = (int) Math.floor(Math.log10((high - low) / most)) - 1;
        for (int power = whole ? Math.max(0, exponent) : exponent;; power++) {
            for (int step : STEPS) {
                double size = BigDecimal.valueOf(step, -power).doubleValue();
                long first = (long) (down ? Math.floor(low / size + NOISE) : Math.ceil(low / size - NOISE));
                long last = (long) (up ? Math.ceil(high / size - NOISE) : Math.floor(high / size + NOISE));
                if (last - first < most) {
                    List<BigDecimal> round = new ArrayList<>();
                    for (long i = first; i <= last; i++) {
                        round.add(BigDecimal.valueOf(Math.multiplyExact(i, step), -power));
                    }
                    return round;
                }
            }
        }
    }

    private static List<BigDecimal> ratios(double low, double high, int most, boolean down, boolean up) {
        List<BigDecimal> fine = within(series(low, high, STEPS, 1), low, high, down, up);
        if (within(fine, low, high, false, false).size() < FEW) {
            return equal(low, high, most, down, up, false).stream().filter(tick -> tick.signum() > 0).toList();
        }
        List<BigDecimal> round = fine;
        for (int i = 0; i < DECADES.length && round.size() > most; i++) {
            round = within(series(low, high, new int[]{1}, DECADES[i]), low, high, down, up);
        }
        return round;
    }

    /** Multiples of every so many decades, from below the lower end to above the upper one. */
    private static List<BigDecimal> series(double low, double high, int[] multiples, int decades) {
        List<BigDecimal> round = new ArrayList<>();
        int first = Math.floorDiv((int) Math.floor(Math.log10(low)) - 1, decades) * decades;
        for (int power = first; power <= Math.log10(high) + decades + 1; power += decades) {
            for (int multiple : multiples) {
                round.add(BigDecimal.valueOf(multiple, -power));
            }
        }
        return round;
    }

    /** Those between the ends, with the last one before and the first one behind them if an end may move. */
    private static List<BigDecimal> within(List<BigDecimal> round, double low, double high, boolean down, boolean up) {
        int first = 0;
        while (first < round.size() && round.get(first).doubleValue() < low * (1 - NOISE)) {
            first++;
        }
        int last = round.size() - 1;
        while (last >= 0 && round.get(last).doubleValue() > high * (1 + NOISE)) {
            last--;
        }
        if (down && first > 0 && (first > last || round.get(first).doubleValue() > low * (1 + NOISE))) {
            first--;
        }
        if (up && last < round.size() - 1 && (last < first || round.get(last).doubleValue() < high * (1 - NOISE))) {
            last++;
        }
        return first > last ? List.of() : round.subList(first, last + 1);
    }

    private static List<Tick> labelled(Axis axis, List<BigDecimal> round) {
        List<BigDecimal> shown = round.stream().map(tick -> axis.shown(tick).stripTrailingZeros()).toList();
        boolean powers = shown.stream().anyMatch(Axis::powers);
        boolean own = axis.scale() == Axis.Scale.LOGARITHMIC;
        int decimals = shown.stream().mapToInt(tick -> Math.max(0, tick.scale())).max().orElse(0);
        List<Tick> ticks = new ArrayList<>();
        for (int i = 0; i < round.size(); i++) {
            BigDecimal tick = shown.get(i);
            BigDecimal padded = tick.setScale(own || tick.signum() == 0 ? Math.max(0, tick.scale()) : decimals,
                    RoundingMode.UNNECESSARY);
            boolean minor = own && i > 0 && i < round.size() - 1
                    && tick.unscaledValue().abs().compareTo(BigInteger.ONE) != 0;
            boolean power = powers && tick.compareTo(BigDecimal.ONE) != 0;
            ticks.add(new Tick(round.get(i).doubleValue(), Axis.written(padded, power) + axis.suffix(), minor));
        }
        return ticks;
    }
}
