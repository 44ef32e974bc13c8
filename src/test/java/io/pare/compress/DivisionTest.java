package io.pare.compress;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import org.junit.jupiter.api.Test;

class DivisionTest {
    private static final double PER_BYTE = 1e-9;
    private static final int ALL = Division.ALL;

    @Test
    void setsThatTakeLongToProjectAreDividedEvenly() {
        assertArrayEquals(new int[]{0, 1, 1, 0, 1},
                Division.whereItPays(new double[]{5, 3, 2, 1, 1}, new long[]{9, 9, 9, 9, 9}, 2, PER_BYTE));
        assertArrayEquals(new int[]{2, 0, 1, 3},
                Division.whereItPays(new double[]{2, 4, 3, 1}, new long[]{9, 9, 9, 9}, 4, PER_BYTE));
    }

    @Test
    void setsThatAreSoonerProjectedThanSentStayWhereTheyAre() {
        long million = 1_000_000;
        assertArrayEquals(new int[]{ALL, ALL},
                Division.whereItPays(new double[]{1e-3, 1e-3}, new long[]{million, million}, 2, PER_BYTE));
        assertArrayEquals(new int[]{0, ALL, 1}, Division.whereItPays(new double[]{20e-3, 1e-4, 20e-3},
                new long[]{million, million, million}, 2, PER_BYTE));
        assertArrayEquals(new int[]{ALL, ALL, ALL}, Division.whereItPays(new double[]{0, 0, 0},
                new long[]{million, million, million}, 2, PER_BYTE), "none can be divided");
    }

    @Test
    void oneLongSetIsNotDividedForWhatTheOthersSave() {
        assertArrayEquals(new int[]{ALL, ALL},
                Division.whereItPays(new double[]{1, 0.05}, new long[]{9, 9}, 2, PER_BYTE));
        assertArrayEquals(new int[]{ALL}, Division.whereItPays(new double[]{1}, new long[]{9}, 2, PER_BYTE));
    }

    @Test
    void aProcessThatOwnsAllSetsFindsWhatItFindsWithoutDivision() {
        assertEquals("divided 5, same bits true", DividedSets.agree(Ranks.alone()));
    }

    @Test
    void oneProcessDividesNothingUnasked() {
        try (Region region = Region.shared("apart");
                Admm alone = DividedSets.sets(region).divide(Ranks.alone()).build()) {
            assertEquals(0, alone.divided());
        }
    }
}
