package io.pare.compress;

import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.NofMClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.mpi.Ranks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/** Solvers whose projections ranks divide, against those that make all of them: what programs of several processes call. */
public final class DividedSets {
    private static final int UPDATES = 4;
    private static final double RHO = 0.5;

    private DividedSets() {}

    /** A tensor whose optimiser is this class. */
    private static final class Free extends PenalizedVariable {
        Free(String name, FloatTensor value) {
            super(name, value);
        }

        /** A W step that depends on Z and U. */
        void move(Random random) {
            float[] next = value().toArray();
            for (int i = 0; i < next.length; i++) {
                next[i] += 0.1f * (float) random.nextGaussian()
                        + 0.3f * (penalty().z().getAtIndex(ValueLayout.JAVA_FLOAT, i)
                                - penalty().u().getAtIndex(ValueLayout.JAVA_FLOAT, i) - next[i]);
            }
            value().copyFrom(next);
        }

        boolean sameAs(Free other) {
            return same(value().segment(), other.value().segment()) && same(penalty().z(), other.penalty().z())
                    && same(penalty().u(), other.penalty().u());
        }

        private static boolean same(MemorySegment a, MemorySegment b) {
            return a.mismatch(b) < 0;
        }
    }

    private static List<Free> tensors(Region region, List<long[]> shapes) {
        Random random = new Random(1);
        List<Free> made = new ArrayList<>();
        for (long[] shape : shapes) {
            FloatTensor tensor = region.tensor(shape);
            for (long i = 0; i < tensor.count(); i++) {
                tensor.set(i, (float) random.nextGaussian());
            }
            made.add(new Free("w" + made.size(), tensor));
        }
        return made;
    }

    /**
     * Says whether ranks that take turns with the sets find what each finds alone: Z, U, residuals and what sets keep, in sets of one
     * tensor, of several, two on one tensor, and one that does not project.
     */
    public static String agree(Ranks ranks) {
        Division turns = new Division(ranks, (seconds, bytes, size, perByte) -> IntStream.range(0, seconds.length)
                .map(i -> seconds[i] > 0 ? i % size : Division.ALL).toArray());
        try (Region region = Region.shared("sets")) {
            List<Free> alone = tensors(region, shapes());
            List<Free> shared = tensors(region, shapes());
            try (Admm expected = sets(alone).build(); Admm found = sets(shared).divide(turns).build()) {
                expected.start();
                found.start();
                Random first = new Random(2);
                Random second = new Random(2);
                boolean same = true;
                for (int i = 0; i < UPDATES; i++) {
                    alone.forEach(each -> each.move(first));
                    shared.forEach(each -> each.move(second));
                    same &= residuals(expected.update()).equals(residuals(found.update()));
                    for (int k = 0; k < alone.size(); k++) {
                        same &= alone.get(k).sameAs(shared.get(k));
                    }
                    same &= kept(expected).equals(kept(found));
                }
                return "divided " + found.divided() + ", same bits " + same;
            }
        }
    }

    private static List<long[]> shapes() {
        return List.of(new long[]{20, 30}, new long[]{12, 7}, new long[]{40, 9}, new long[]{64}, new long[]{50, 3});
    }

    static Admm.Builder sets(Region region) {
        return sets(tensors(region, shapes()));
    }

    private static Admm.Builder sets(List<Free> of) {
        RhoRule fixed = new RhoRule.Fixed();
        return Admm.builder().constrain(List.copyOf(of.subList(0, 3)), new Clustering(4), RHO, fixed)
                .constrain(List.of(of.get(3)), Sparsity.count(9), RHO, new RhoRule.Multiplied(1.5, 4))
                .constrain(List.of(of.get(4), of.get(0)),
                        new GlobalSparsity(200, GlobalSparsity.Score.LAMP, List.of()), RHO, fixed)
                .constrain(List.of(of.get(4)), new NofMClustering(1, 3, 3), RHO, fixed);
    }

    private static String residuals(List<ResidualRow> rows) {
        return rows.stream().map(row -> row.tensor() + row.constraint() + row.primal() + " " + row.dual() + " "
                + row.norm() + " " + row.rho()).toList().toString();
    }

    private static String kept(Admm admm) {
        return admm.guarantees().stream().map(each -> each.tensors() + each.memory().entrySet().stream()
                .map(entry -> entry.getKey() + Arrays.toString(entry.getValue())).toList().toString()).toList()
                .toString();
    }

    /** Ways to step, which take turns. */
    private record Way(String name, List<Free> tensors, Admm admm) {}

    /**
     * Times the steps of Z and U of tensors at all ranks: each for itself, all sets divided, and as it pays. The first
     * process prints medians and least times.
     *
     * @param shapes of the tensors
     * @param together whether one set holds all of them, one weight in 20, or each has 16 values
     */
    public static void measure(Ranks ranks, String name, List<long[]> shapes, boolean together, int steps) {
        try (Region region = Region.shared("sets")) {
            List<Way> ways = new ArrayList<>();
            long bytes = 0;
            for (String way : List.of("alone", "divided", "as it pays")) {
                List<Free> tensors = tensors(region, shapes);
                long weights = tensors.stream().mapToLong(each -> each.value().count()).sum();
                bytes = weights * Float.BYTES;
                Constraint set = together
                        ? new GlobalSparsity(weights / 20, GlobalSparsity.Score.MAGNITUDE, List.of())
                        : new Clustering(16);
                Admm.Builder builder =
                        Admm.builder().constrain(List.copyOf(tensors), set, RHO, new RhoRule.Fixed());
                switch (way) {
                    case "divided" -> builder.divide(new Division(ranks, DividedSets::all));
                    case "as it pays" -> builder.divide(ranks);
                    default -> {
                    }
                }
                ways.add(new Way(way, tensors, builder.build()));
                ways.getLast().admm().start();
                ways.getLast().admm().update();
            }
            double[][] seconds = new double[ways.size()][steps];
            Random random = new Random(3);
            for (int step = 0; step < steps; step++) {
                long seed = random.nextLong();
                for (int i = 0; i < ways.size(); i++) {
                    Random same = new Random(seed);
                    ways.get(i).tensors().forEach(each -> each.move(same));
                    ranks.gather(new byte[0]);
                    long from = System.nanoTime();
                    ways.get(i).admm().update();
                    // A step is over when the last rank has it.
                    ranks.gather(new byte[0]);
                    seconds[i][step] = (System.nanoTime() - from) / 1e9;
                }
            }
            for (int i = 0; i < ways.size(); i++) {
                Arrays.sort(seconds[i]);
                Way way = ways.get(i);
                if (ranks.first()) {
                    System.out.printf(Locale.ROOT, "%s|%s|%d|%d|%.9f|%.9f%n", name, way.name(), way.admm().divided(),
                            way.admm().divided() > 0 ? bytes : 0, seconds[i][steps / 2], seconds[i][0]);
                }
                way.admm().close();
            }
        }
    }

    private static int[] all(double[] seconds, long[] bytes, int ranks, double secondsPerByte) {
        // As if messages cost nothing, and a step of a single set were worth it too.
        int[] owners = Division.whereItPays(seconds, bytes, ranks, 0);
        for (int i = 0; i < owners.length; i++) {
            owners[i] = owners[i] == Division.ALL && seconds[i] > 0 ? 0 : owners[i];
        }
        return owners;
    }
}
