package io.pare.compress.stage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.stage.Knapsack.Option;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class KnapsackTest {
    private static final int THINGS = 5;
    private static final int OPTIONS = 4;

    private static List<List<Option>> things(SplittableRandom random, int costs) {
        List<List<Option>> things = new ArrayList<>();
        for (int i = 0; i < THINGS; i++) {
            List<Option> options = new ArrayList<>();
            for (int k = 0; k < OPTIONS; k++) {
                options.add(new Option(random.doubles(costs, 1, 10).toArray(), random.nextDouble()));
            }
            things.add(options);
        }
        return things;
    }

    private static double[] costs(List<List<Option>> things, int[] chosen, int count) {
        double[] costs = new double[count];
        for (int i = 0; i < chosen.length; i++) {
            for (int cost = 0; cost < count; cost++) {
                costs[cost] += things.get(i).get(chosen[i]).costs()[cost];
            }
        }
        return costs;
    }

    private static double change(List<List<Option>> things, int[] chosen) {
        double change = 0;
        for (int i = 0; i < chosen.length; i++) {
            change += things.get(i).get(chosen[i]).change();
        }
        return change;
    }

    private static boolean fits(double[] costs, double[] most) {
        for (int i = 0; i < costs.length; i++) {
            if (costs[i] > most[i]) {
                return false;
            }
        }
        return true;
    }

    /** The least change of all choices within bounds; infinite if there is none. */
    private static double least(List<List<Option>> things, double[] most) {
        double least = Double.POSITIVE_INFINITY;
        for (int number = 0; number < Math.pow(OPTIONS, THINGS); number++) {
            int[] chosen = new int[THINGS];
            for (int i = 0, left = number; i < THINGS; i++, left /= OPTIONS) {
                chosen[i] = left % OPTIONS;
            }
            if (fits(costs(things, chosen, most.length), most)) {
                least = Math.min(least, change(things, chosen));
            }
        }
        return least;
    }

    @Test
    void theChoiceIsTheBestOfAllThatKeepOneBound() {
        SplittableRandom random = new SplittableRandom(1);
        int within = 0;
        for (int round = 0; round < 60; round++) {
            List<List<Option>> things = things(random, 1);
            double[] most = {random.nextDouble(8, 40)};
            int[] chosen = Knapsack.choose(things, most);
            double least = least(things, most);
            if (chosen == null) {
                assertEquals(Double.POSITIVE_INFINITY, least);
            } else {
                within++;
                assertTrue(fits(costs(things, chosen, 1), most));
                assertEquals(least, change(things, chosen), 1e-12, "round " + round);
            }
        }
        assertTrue(within > 40 && within < 60, within + " within reach");
    }

    /** A cell of the grid is a 256th of each bound: no worse than the best of what keeps them by five of these. */
    @Test
    void theChoiceKeepsTwoBoundsAndIsAboutTheBest() {
        SplittableRandom random = new SplittableRandom(2);
        for (int round = 0; round < 60; round++) {
            List<List<Option>> things = things(random, 2);
            double[] most = {random.nextDouble(15, 40), random.nextDouble(15, 40)};
            int[] chosen = Knapsack.choose(things, most);
            double spare = 1 - THINGS / 256.0;
            double nearly = least(things, new double[]{spare * most[0], spare * most[1]});
            if (chosen == null) {
                assertEquals(Double.POSITIVE_INFINITY, nearly);
            } else {
                assertTrue(fits(costs(things, chosen, 2), most));
                assertTrue(change(things, chosen) <= nearly + 1e-12, "round " + round);
            }
        }
    }

    @Test
    void whatNoOptionsReachIsNoChoice() {
        List<List<Option>> things = things(new SplittableRandom(3), 1);
        double least = Knapsack.least(things, 1)[0];
        assertNull(Knapsack.choose(things, new double[]{0.999 * least}));
        assertEquals(least, costs(things, Knapsack.choose(things, new double[]{least + 1e-9}), 1)[0], 1e-9);
    }
}
