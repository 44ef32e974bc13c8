package io.pare.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.report.Ticks.Tick;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Ranges, ticks and numbers of axes. */
class AxisTest {
    private static final Axis LINEAR = Axis.linear("y");
    private static final Axis WHOLE = Axis.whole("epoch");
    private static final Axis LOGARITHMIC = Axis.logarithmic("residual");
    private static final int MOST = 6;

    private static Ticks ticks(Axis axis, boolean widened, double... values) {
        return Ticks.of(axis, List.of(values), MOST, widened);
    }

    private static List<String> labels(Axis axis, boolean widened, double... values) {
        return ticks(axis, widened, values).ticks().stream().map(Tick::label).toList();
    }

    @Test
    void ticksAreWhatAReaderExpects() {
        assertEquals(List.of("0", "0.2", "0.4", "0.6", "0.8", "1.0"), labels(LINEAR, true, 0.1, 0.9954));
        assertEquals(List.of("0.9930", "0.9935", "0.9940", "0.9945", "0.9950", "0.9955"),
                labels(LINEAR, true, 0.9931, 0.9954));
        assertEquals(List.of("20", "40", "60", "80"), labels(WHOLE, false, 1, 88));
        assertEquals(List.of("1", "2"), labels(WHOLE, false, 1, 2));
        assertEquals(List.of("−0.2", "−0.1", "0", "0.1", "0.2"), labels(LINEAR, false, -0.24, 0.24));
        assertEquals(List.of("0.001", "0.01", "0.1", "1"), labels(LOGARITHMIC, true, 0.005144, 0.9));
        assertEquals(List.of("100", "1,000", "10,000", "100,000", "1,000,000"),
                labels(LOGARITHMIC, true, 430_500, 500));
        assertEquals(List.of("0", "2·10¹¹", "4·10¹¹", "6·10¹¹", "8·10¹¹", "10¹²"), labels(LINEAR, true, 1, 9.4e11));
        assertEquals(List.of("10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²", "1"), labels(LOGARITHMIC, true, 3e-8, 0.5));
    }

    @Test
    void sharesAreWrittenInPercent() {
        Ticks ticks = Ticks.of(LOGARITHMIC.percent(), List.of(new double[]{0.5, 0.1, 0.03, 0.001}), 10, false);
        assertEquals(List.of("0.1\u00a0%", "0.2\u00a0%", "0.5\u00a0%", "1\u00a0%", "2\u00a0%", "5\u00a0%",
                "10\u00a0%", "20\u00a0%", "50\u00a0%"), ticks.ticks().stream().map(Tick::label).toList());
        assertEquals(List.of("0.1\u00a0%", "1\u00a0%", "10\u00a0%", "50\u00a0%"),
                ticks.ticks().stream().filter(tick -> !tick.minor()).map(Tick::label).toList());
        assertEquals(List.of("92\u00a0%", "94\u00a0%", "96\u00a0%", "98\u00a0%"),
                labels(LINEAR.percent(), true, 0.921, 0.98));
    }

    @Test
    void ticksAreRoundEvenlySpacedAndFewOverManyRanges() {
        SplittableRandom random = new SplittableRandom(1);
        for (int trial = 0; trial < 4_000; trial++) {
            double middle =
                    random.nextInt(4) == 0 ? 0 : random.nextDouble(-1, 1) * Math.pow(10, random.nextInt(-30, 30));
            double width = Math.pow(10, random.nextDouble(-30, 30));
            boolean widened = random.nextBoolean();
            Axis axis = random.nextBoolean() ? LINEAR : WHOLE;
            int most = random.nextInt(3, 12);
            Ticks ticks = Ticks.of(axis, List.of(new double[]{middle, middle + width}), most, widened);
            String what = axis.scale() + " " + middle + " + " + width + ": " + ticks;
            orderedInside(ticks, most, what);
            assertTrue(ticks.low() <= middle && ticks.high() >= middle + width, what);
            List<BigDecimal> values = ticks.ticks().stream().map(tick -> BigDecimal.valueOf(tick.value())).toList();
            for (int i = 1; i < values.size(); i++) {
                BigDecimal step = values.get(1).subtract(values.get(0));
                String digit = step.stripTrailingZeros().unscaledValue().toString();
                assertTrue(List.of("1", "2", "5").contains(digit), what);
                assertEquals(0, step.compareTo(values.get(i).subtract(values.get(i - 1))), what);
                assertTrue(axis == LINEAR || step.compareTo(BigDecimal.ONE) >= 0, what);
            }
            assertTrue(values.size() >= (axis == WHOLE || !widened && most < 6 ? 0 : 2), what);
            if (axis == WHOLE) {
                assertTrue(ticks.ticks().stream().allMatch(tick -> tick.value() == Math.rint(tick.value())), what);
            }
        }
    }

    @Test
    void logarithmicTicksAreRoundOverManyRanges() {
        SplittableRandom random = new SplittableRandom(2);
        for (int trial = 0; trial < 4_000; trial++) {
            double low = Math.pow(10, random.nextDouble(-40, 40));
            double high = low * Math.pow(10, random.nextDouble(0, random.nextBoolean() ? 2 : 50));
            int most = random.nextInt(3, 12);
            Ticks ticks = Ticks.of(LOGARITHMIC, List.of(new double[]{high, low}), most, random.nextBoolean());
            String what = low + " to " + high + ": " + ticks;
            orderedInside(ticks, most, what);
            assertTrue(ticks.low() > 0 && ticks.low() <= low && ticks.high() >= high, what);
            boolean ofDecades = ticks.ticks().stream().allMatch(tick -> List.of("1", "2", "5")
                    .contains(BigDecimal.valueOf(tick.value()).stripTrailingZeros().unscaledValue().toString()));
            assertTrue(ofDecades || high / low < 20, what);
            assertFalse(ticks.ticks().isEmpty() && most > 3, what);
        }
    }

    private static void orderedInside(Ticks ticks, int most, String what) {
        assertTrue(ticks.ticks().size() <= most && ticks.low() < ticks.high(), what);
        double before = Double.NEGATIVE_INFINITY;
        for (Tick tick : ticks.ticks()) {
            assertTrue(tick.value() > before && tick.value() >= ticks.low() && tick.value() <= ticks.high(), what);
            before = tick.value();
        }
        assertEquals(ticks.ticks().size(), ticks.ticks().stream().map(Tick::label).distinct().count(), what);
    }

    @Test
    void oneValueEqualValuesAndNoneHaveARange() {
        for (Axis axis : List.of(LINEAR, WHOLE, LOGARITHMIC)) {
            for (double value : new double[]{0, 1, 7, -3, 0.9954, 1e-9, 1e99, -1e99, 1 / 3.0}) {
                for (double[] values : List.of(new double[]{value}, new double[]{value, value, Double.NaN})) {
                    Ticks ticks = ticks(axis, true, values);
                    String what = axis.scale() + " " + Arrays.toString(values) + ": " + ticks;
                    orderedInside(ticks, MOST, what);
                    assertFalse(ticks.ticks().isEmpty(), what);
                    if (axis.shows(value)) {
                        double part = ticks.part(value);
                        assertTrue(part > 0 && part < 1, what);
                    }
                }
            }
            for (double[] values : List.of(new double[0], new double[]{Double.NaN, Double.POSITIVE_INFINITY},
                    new double[]{Double.MAX_VALUE, -Double.MAX_VALUE})) {
                Ticks ticks = ticks(axis, true, values);
                assertFalse(ticks.ticks().isEmpty());
                orderedInside(ticks, MOST, ticks.toString());
            }
        }
        assertEquals(List.of("5"), labels(WHOLE, false, 5));
    }

    @Test
    void placesAreShares() {
        assertEquals(0.25, ticks(LINEAR, true, 0, 4).part(1));
        assertEquals(0.5, ticks(LOGARITHMIC, true, 1, 100).part(10), 2 * Math.ulp(0.5));
        assertTrue(Double.isNaN(ticks(LOGARITHMIC, true, 1, 100).part(0)));
        assertTrue(Double.isNaN(ticks(LINEAR, true, 1, 100).part(Double.NaN)));
    }

    @Test
    void anEndThatTheAxisGivesStaysUnlessAValueIsBeyondIt() {
        Ticks kept = Ticks.of(WHOLE.within(1, 88), List.of(new double[]{20, 53}), MOST, false);
        assertEquals(List.of(1.0, 88.0), List.of(kept.low(), kept.high()));
        Ticks counts = Ticks.of(LOGARITHMIC.within(0.5, Double.NaN), List.of(new double[]{1, 30_000}), MOST, true);
        assertEquals(List.of(0.5, 100_000.0), List.of(counts.low(), counts.high()));
        assertEquals(-2, Ticks.of(LINEAR.within(0, 1), List.of(new double[]{-1.9}), MOST, true).low());
    }

    @Test
    void valuesHaveFourDigits() {
        assertEquals("0.9954", LINEAR.text(0.995432));
        assertEquals("0.9900", LINEAR.text(0.99));
        assertEquals("1", LINEAR.text(1));
        assertEquals("430,500", LINEAR.text(430_500));
        assertEquals("0.0003579", LINEAR.text(0.00035789));
        assertEquals("3.579·10⁻⁷", LINEAR.text(3.5789e-7));
        assertEquals("1.4·10¹²", LINEAR.text(1.4e12));
        assertEquals("−0.2500", LINEAR.text(-0.25));
        assertEquals("12.30", LINEAR.text(12.3));
        assertEquals("NaN", LINEAR.text(Double.NaN));
        assertEquals("0", LINEAR.text(0));
        assertEquals("2.5\u00a0%", LINEAR.percent().text(0.025));
        assertEquals("50\u00a0%", LINEAR.percent().text(0.5));
    }
}
