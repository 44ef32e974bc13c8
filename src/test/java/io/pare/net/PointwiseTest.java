package io.pare.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Functions of numbers: known values, slopes, and numbers at the ends of the range. */
class PointwiseTest {
    /** Function, a, b, x and value, the last by mpmath 1.3 with 40 digits. */
    private static final String KNOWN = """
            LEAKY_RELU 0.125 0 -20 -2.5
            LEAKY_RELU 0.125 0 -1.5 -0.1875
            LEAKY_RELU 0.125 0 0.25 0.25
            LEAKY_RELU 0.125 0 1.5 1.5
            LEAKY_RELU 0.125 0 20 20.0
            ELU 1.5 0 -20 -1.4999999969082696
            ELU 1.5 0 -1.5 -1.1653047597773553
            ELU 1.5 0 0.25 0.25
            ELU 1.5 0 1.5 1.5
            ELU 1.5 0 20 20.0
            SELU 1.5 1.25 -20 -1.874999996135337
            SELU 1.5 1.25 -1.5 -1.4566309497216941
            SELU 1.5 1.25 0.25 0.3125
            SELU 1.5 1.25 1.5 1.875
            SELU 1.5 1.25 20 25.0
            CELU 2 0 -20 -1.999909200140475
            CELU 2 0 -1.5 -1.0552668945179706
            CELU 2 0 0.25 0.25
            CELU 2 0 1.5 1.5
            CELU 2 0 20 20.0
            CLIP -1 2 -20 -1.0
            CLIP -1 2 -1.5 -1.0
            CLIP -1 2 0.25 0.25
            CLIP -1 2 1.5 1.5
            CLIP -1 2 20 2.0
            HARD_SIGMOID 0.25 0.5 -20 0
            HARD_SIGMOID 0.25 0.5 -1.5 0.125
            HARD_SIGMOID 0.25 0.5 0.25 0.5625
            HARD_SIGMOID 0.25 0.5 1.5 0.875
            HARD_SIGMOID 0.25 0.5 20 1
            HARD_SWISH 0.25 0.5 -20 0.0
            HARD_SWISH 0.25 0.5 -1.5 -0.1875
            HARD_SWISH 0.25 0.5 0.25 0.140625
            HARD_SWISH 0.25 0.5 1.5 1.3125
            HARD_SWISH 0.25 0.5 20 20.0
            SWISH 0 0 -20 -4.1223072363804072e-8
            SWISH 0 0 -1.5 -0.27363828570953451
            SWISH 0 0 0.25 0.14054412522144953
            SWISH 0 0 1.5 1.2263617142904655
            SWISH 0 0 20 19.999999958776928
            MISH 0 0 -20 -4.1223072406287614e-8
            MISH 0 0 -1.5 -0.29809974216680676
            MISH 0 0 0.25 0.16957240966381759
            MISH 0 0 1.5 1.4033782663958026
            MISH 0 0 20 20.0
            TANH 0 0 -20 -0.99999999999999999
            TANH 0 0 -1.5 -0.90514825364486644
            TANH 0 0 0.25 0.24491866240370913
            TANH 0 0 1.5 0.90514825364486644
            TANH 0 0 20 0.99999999999999999
            SOFTPLUS 0 0 -20 2.0611536203143807e-9
            SOFTPLUS 0 0 -1.5 0.20141327798275241
            SOFTPLUS 0 0 0.25 0.82593941987884356
            SOFTPLUS 0 0 1.5 1.7014132779827524
            SOFTPLUS 0 0 20 20.000000002061154
            SOFTSIGN 0 0 -20 -0.95238095238095238
            SOFTSIGN 0 0 -1.5 -0.6
            SOFTSIGN 0 0 0.25 0.2
            SOFTSIGN 0 0 1.5 0.6
            SOFTSIGN 0 0 20 0.95238095238095238
            GELU 0 0 -20 -5.5072482372124674e-88
            GELU 0 0 -1.5 -0.1002108019032871
            GELU 0 0 0.25 0.14967658142073093
            GELU 0 0 1.5 1.3997891980967129
            GELU 0 0 20 20.0
            GELU_TANH 0 0 -20 0.0
            GELU_TANH 0 0 -1.5 -0.10042842301976708
            GELU_TANH 0 0 0.25 0.149675350701685
            GELU_TANH 0 0 1.5 1.3995715769802329
            GELU_TANH 0 0 20 20.0
            ERF 0 0 -20 -1.0
            ERF 0 0 -1.5 -0.96610514647531073
            ERF 0 0 0.25 0.27632639016823693
            ERF 0 0 1.5 0.96610514647531073
            ERF 0 0 20 1.0
            EXP 0 0 -20 2.0611536224385578e-9
            EXP 0 0 -1.5 0.22313016014842983
            EXP 0 0 0.25 1.2840254166877415
            EXP 0 0 1.5 4.4816890703380648
            EXP 0 0 20 485165195.40979028
            LOG 0 0 0.25 -1.3862943611198906
            LOG 0 0 1.5 0.40546510810816438
            LOG 0 0 20 2.995732273553991
            SQRT 0 0 0.25 0.5
            SQRT 0 0 1.5 1.224744871391589
            SQRT 0 0 20 4.4721359549995794
            RECIPROCAL 0 0 -20 -0.05
            RECIPROCAL 0 0 -1.5 -0.66666666666666667
            RECIPROCAL 0 0 0.25 4.0
            RECIPROCAL 0 0 1.5 0.66666666666666667
            RECIPROCAL 0 0 20 0.05
            LINEAR -1.5 0.25 -20 30.25
            LINEAR -1.5 0.25 -1.5 2.5
            LINEAR -1.5 0.25 0.25 -0.125
            LINEAR -1.5 0.25 1.5 -2.0
            LINEAR -1.5 0.25 20 -29.75
            POWER 2.5 0 0.25 0.03125
            POWER 2.5 0 1.5 2.7556759606310754
            POWER 2.5 0 20 1788.8543819998318
            SIN 0 0 -20 -0.91294525072762765
            SIN 0 0 -1.5 -0.99749498660405443
            SIN 0 0 0.25 0.24740395925452293
            SIN 0 0 1.5 0.99749498660405443
            SIN 0 0 20 0.91294525072762765
            COS 0 0 -20 0.40808206181339199
            COS 0 0 -1.5 0.07073720166770291
            COS 0 0 0.25 0.96891242171064478
            COS 0 0 1.5 0.07073720166770291
            COS 0 0 20 0.40808206181339199
            """;
    /** x and erf(x), by mpmath too. */
    private static final double[][] ERF = {
        {1e-300, 1.1283791670955126e-300},
        {1e-8, 1.1283791670955125e-8},
        {0.125, 0.14031620480133382},
        {0.5, 0.52049987781304654},
        {1, 0.84270079294971487},
        {1.5, 0.96610514647531073},
        {2, 0.99532226501895273},
        {2.4375, 0.99943345674541984},
        {2.5, 0.99959304798255504},
        {2.5625, 0.99970983113832659},
        {3, 0.99997790950300141},
        {3.5, 0.99999925690162766},
        {4, 0.9999999845827421},
        {5, 0.99999999999846254},
        {5.875, 0.9999999999999999},
        {6, 0.99999999999999998},
        {30, 1.0}};
    /** Functions whose values are exact, checked by their definitions below. */
    private static final Set<Pointwise> STEPS = EnumSet.of(Pointwise.ABS, Pointwise.FLOOR, Pointwise.CEIL,
            Pointwise.ROUND, Pointwise.TRUNCATE, Pointwise.SIGN, Pointwise.NOT);
    private static final float[] SPECIAL = {0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, 1e-20f, -1e-20f, 1, -1, 20, -20,
        100, -100, 1e10f, -1e10f, Float.MAX_VALUE, -Float.MAX_VALUE};
    private static final float INFINITE = Float.POSITIVE_INFINITY;

    @Test
    void valuesAreThoseOfTheDefinitions() {
        Set<Pointwise> known = KNOWN.lines().map(line -> {
            String[] row = line.split(" ");
            Pointwise function = Pointwise.valueOf(row[0]);
            double value = Double.parseDouble(row[4]);
            double actual = function.of(Double.parseDouble(row[3]), Double.parseDouble(row[1]),
                    Double.parseDouble(row[2]));
            // Parts of size x cancel in some.
            assertEquals(value, actual, 1e-14 * Math.max(1, Math.abs(value)), line);
            return function;
        }).collect(Collectors.toSet());
        known.addAll(STEPS);
        assertEquals(EnumSet.allOf(Pointwise.class), known);
    }

    @Test
    void stepsAreThoseOfTheDefinitions() {
        double[][] expected = {{-2.5, 2.5, -3, -2, -2, -2, -1, 0}, {-1.5, 1.5, -2, -1, -2, -1, -1, 0},
            {0, 0, 0, 0, 0, 0, 0, 1}, {0.5, 0.5, 0, 1, 0, 0, 1, 0}, {3, 3, 3, 3, 3, 3, 1, 0},
            {3.5, 3.5, 3, 4, 4, 3, 1, 0}};
        for (double[] row : expected) {
            int column = 1;
            for (Pointwise function : STEPS) {
                assertEquals(row[column++] + 0.0, function.of(row[0], 0, 0) + 0.0, function + " of " + row[0]);
            }
        }
    }

    @Test
    void theErrorFunctionHasFourteenDigits() {
        for (double[] known : ERF) {
            assertEquals(known[1], Pointwise.ERF.of(known[0], 0, 0), 1e-14 * known[1]);
            assertEquals(-known[1], Pointwise.ERF.of(-known[0], 0, 0), 1e-14 * known[1]);
        }
        // The two ways in which it is computed meet.
        double before = 0;
        for (double x = 2.45; x < 2.55; x += 1e-4) {
            double value = Pointwise.ERF.of(x, 0, 0);
            assertTrue(value > before, "erf falls at " + x);
            before = value;
        }
    }

    @Test
    void slopesAreCentralDifferences() {
        Random random = new Random(1);
        for (Pointwise function : Pointwise.values()) {
            for (int i = 0; i < 100; i++) {
                double x = 3 * random.nextGaussian();
                double a = function == Pointwise.CLIP ? -2 : 0.5 + random.nextDouble();
                double b = function == Pointwise.CLIP ? 2 : random.nextDouble();
                boolean positive = List.of(Pointwise.LOG, Pointwise.SQRT, Pointwise.POWER).contains(function);
                x = positive ? 0.1 + Math.abs(x) : x;
                double expected = (function.of(x + 1e-6, a, b) - function.of(x - 1e-6, a, b)) / 2e-6;
                assertEquals(expected, function.slope(x, a, b), 1e-6 * Math.max(1, expected * expected),
                        function + " at " + x);
            }
        }
    }

    @Test
    void numbersAtTheEndsOfTheRangeGiveNumbers() {
        for (Pointwise function : Pointwise.values()) {
            float a = function == Pointwise.CLIP ? -2 : 1;
            for (float x : SPECIAL) {
                boolean outside = x < 0 && List.of(Pointwise.LOG, Pointwise.SQRT).contains(function);
                assertEquals(outside, Double.isNaN(function.of(x, a, 2)), function + " of " + x);
                assertEquals(outside && function != Pointwise.LOG, Double.isNaN(function.slope(x, a, 2)),
                        "slope of " + function + " at " + x);
            }
            double ofNan = function.of(Double.NaN, a, 2);
            assertEquals(function != Pointwise.NOT, Double.isNaN(ofNan), function + " of NaN is " + ofNan);
        }
    }

    @Test
    void infinitiesGiveLimits() {
        assertEquals(List.of(INFINITE, -1f, 1f, 1f, INFINITE, INFINITE, 0f, 1f, INFINITE, 1f, INFINITE, 0f),
                List.of((float) Pointwise.ELU.of(INFINITE, 1, 0), (float) Pointwise.ELU.of(-INFINITE, 1, 0),
                        (float) Pointwise.TANH.of(INFINITE, 0, 0), (float) Pointwise.ERF.of(INFINITE, 0, 0),
                        (float) Pointwise.GELU.of(INFINITE, 0, 0), (float) Pointwise.SOFTPLUS.of(INFINITE, 0, 0),
                        (float) Pointwise.SOFTPLUS.of(-INFINITE, 0, 0), (float) Pointwise.CLIP.of(INFINITE, 0, 1),
                        (float) Pointwise.ABS.of(-INFINITE, 0, 0), (float) Pointwise.HARD_SIGMOID.of(INFINITE, 1, 0),
                        (float) Pointwise.EXP.of(1e3, 0, 0), (float) Pointwise.RECIPROCAL.of(INFINITE, 0, 0)));
    }

    @Test
    void pairsGiveWhatTheirNamesSay() {
        double[][] rows = {{7, 3}, {-7, 3}, {7, -3}, {-7, -3}, {0, 2}, {2.5, 2.5}, {-0.0, 0}};
        double[][] modulo = {{1, 1}, {2, -1}, {-2, 1}, {-1, -1}, {0, 0}, {0, 0}};
        for (int i = 0; i < modulo.length; i++) {
            assertEquals(modulo[i][0], Pairwise.MODULO.of(rows[i][0], rows[i][1]), Arrays.toString(rows[i]));
            assertEquals(modulo[i][1], Pairwise.REMAINDER.of(rows[i][0], rows[i][1]), Arrays.toString(rows[i]));
        }
        assertEquals(-2, Pairwise.DIVIDE_INTEGERS.of(-7, 3));
        assertEquals(2, Pairwise.DIVIDE_INTEGERS.of(-7, -3));
        for (double[] row : rows) {
            double x = row[0];
            double y = row[1];
            boolean[] expected = {x == y, x < y, x <= y, x > y, x >= y, x != 0 & y != 0, x != 0 | y != 0,
                x != 0 ^ y != 0};
            for (int i = 0; i < expected.length; i++) {
                Pairwise function = Pairwise.values()[Pairwise.EQUAL.ordinal() + i];
                assertEquals(expected[i] ? 1 : 0, function.of(x, y), function + " of " + Arrays.toString(row));
            }
        }
        assertTrue(
                Double.isNaN(Pairwise.MAXIMUM.of(1, Double.NaN)) && Double.isNaN(Pairwise.MINIMUM.of(Double.NaN, 1)));
        assertEquals(0, Pairwise.EQUAL.of(Double.NaN, Double.NaN));
        assertEquals(Double.POSITIVE_INFINITY, Pairwise.DIVIDE.of(1, 0));
    }
}
