package io.pare.exec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.pare.Rounding;
import io.pare.exec.backend.Backends;
import io.pare.kernel.Bits;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tapes that multiply only what masks leave, against dense tapes in plain Java, whose gradients others check. */
class SparseTapeTest {
    private static final int BATCH = 32;

    /** Parameters with masks, whose values are zero where the mask is. */
    private static final class Masked implements Binding {
        private final Map<String, FloatTensor> values = new LinkedHashMap<>();
        private final Map<String, FloatTensor> gradients = new HashMap<>();
        private final Map<String, MemorySegment> masks = new HashMap<>();
        private final Region region;

        Masked(Region region) {
            this.region = region;
        }

        Value get(String name, long... shape) {
            values.put(name, region.tensor(shape));
            gradients.put(name, region.tensor(shape).fill(Float.NaN));
            if (shape.length > 1) {
                masks.put(name, region.allocate(Bits.bytes(values.get(name).count())));
            }
            return Graph.parameter(name, shape);
        }

        /** Draws values, and masks that leave about {@code share}. */
        void draw(Random random, double share) {
            values.forEach((name, value) -> {
                MemorySegment mask = masks.get(name);
                if (mask != null) {
                    mask.fill((byte) 0);
                }
                for (int i = 0; i < value.count(); i++) {
                    boolean kept = mask == null || random.nextDouble() < share;
                    value.set(i, kept ? (float) random.nextGaussian() : 0);
                    if (kept && mask != null) {
                        byte octet = mask.get(ValueLayout.JAVA_BYTE, i >> 3);
                        mask.set(ValueLayout.JAVA_BYTE, i >> 3, (byte) (octet | 1 << (i & 7)));
                    }
                }
            });
        }

        @Override
        public FloatTensor value(String parameter) {
            return values.get(parameter);
        }

        @Override
        public FloatTensor gradient(String parameter) {
            return gradients.get(parameter);
        }

        @Override
        public Bits mask(String parameter) {
            return masks.containsKey(parameter) ? new Bits(masks.get(parameter), 0) : null;
        }
    }

    /**
     * Odd sizes, so that pooling leaves a row and a column over; a filter of 4 x 3.
     *
     * @param relu whether a ReLU stands before the pooling, so that three layers are one step
     */
    private static Value loss(Masked masked, boolean relu) {
        Value x = Graph.input("x", BATCH, 2, 16, 17);
        Value first = Graphs.conv2d(x, masked.get("c.w", 5, 2, 4, 3), masked.get("c.b", 5), 1, 0, 1, 1);
        Value c = Graphs.maxPool(relu ? Graphs.relu(first) : first, 2, 2, 0);
        Value d = Graphs.relu(Graphs.conv2d(c, masked.get("d.w", 6, 5, 3, 3), masked.get("d.b", 6), 1, 0, 1, 1));
        Value flat = Graphs.flatten(d);
        Value hidden = Graphs.relu(Graphs.linear(flat, masked.get("e.w", 9, flat.size(1)), masked.get("e.b", 9)));
        return Graph.softmaxCrossEntropy(Graphs.linear(hidden, masked.get("f.w", 4, 9), masked.get("f.b", 4)));
    }

    private static void fill(Tape tape, Random random) {
        for (int i = 0; i < tape.input("x").count(); i++) {
            tape.input("x").set(i, (float) random.nextGaussian());
        }
        for (int i = 0; i < BATCH; i++) {
            tape.labels().setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt(4));
        }
    }

    @Test
    void lossAndGradientsOfWhatIsLeftAreThoseOfADenseTape() {
        for (boolean relu : new boolean[]{false, true}) {
            lossAndGradients(relu);
        }
    }

    private static void lossAndGradients(boolean relu) {
        try (Region region = Region.confined("sparse test")) {
            Masked masked = new Masked(region);
            Value loss = loss(masked, relu);
            Random random = new Random(7);
            masked.draw(random, 0.5);
            Tape sparse = Tape.training(region, loss, masked, Backends.sparse());
            Tape dense = Tape.training(region, loss, masked, Backends.dense(false));
            // Masks change between passes, some so thin that whole channels are not read.
            for (double share : new double[]{1, 0.5, 0.15, 0.05, 0.3, 0}) {
                masked.draw(random, share);
                fill(dense, random);
                sparse.input("x").copyFrom(dense.input("x"));
                sparse.labels().copyFrom(dense.labels());
                dense.forward(0);
                dense.backward();
                Map<String, float[]> expected = new HashMap<>();
                masked.gradients.forEach((name, gradient) -> expected.put(name, gradient.toArray()));
                masked.gradients.values().forEach(gradient -> gradient.fill(Float.NaN));
                sparse.readMasks();
                sparse.forward(0);
                sparse.backward();
                Rounding.assertSum(dense.loss(), sparse.loss(), TapeTest.ROUNDINGS, dense.loss(), "loss");
                assertEquals(dense.correct(), sparse.correct());
                expected.forEach((name, values) -> {
                    Bits mask = masked.mask(name);
                    // A unit that nobody reads has a gradient of zero in both.
                    for (int i = 0; i < values.length; i++) {
                        values[i] = mask == null || mask.get(i) ? values[i] : 0;
                    }
                    Rounding.assertClose(values, masked.gradient(name).toArray(), TapeTest.ROUNDINGS,
                            name + " at " + share);
                });
            }
        }
    }

    @Test
    void logitsAreThoseOfADenseTape() {
        try (Region region = Region.confined("sparse test")) {
            Masked masked = new Masked(region);
            Value logits = loss(masked, true).input(0);
            Random random = new Random(3);
            masked.draw(random, 0.2);
            Tape sparse = Tape.inference(region, logits, masked, Backends.sparse());
            Tape dense = Tape.inference(region, logits, masked, Backends.dense(false));
            fill(dense, random);
            sparse.input("x").copyFrom(dense.input("x"));
            dense.forward(0);
            sparse.forward(0);
            Rounding.assertClose(dense.output().toArray(), sparse.output().toArray(), TapeTest.ROUNDINGS, "logits");
        }
    }

    @Test
    void whatHasNoSparseRuleIsRefused() {
        try (Region region = Region.confined("sparse test")) {
            Masked masked = new Masked(region);
            Value x = Graph.input("x", BATCH, 2, 8, 8);
            Value padded = Graphs.conv2d(x, masked.get("w", 3, 2, 3, 3), masked.get("b", 3), 1, 1, 1, 1);
            assertThrows(IllegalArgumentException.class,
                    () -> Tape.inference(region, padded, masked, Backends.sparse()));
            Value odd = Graph.input("y", 5, 2, 8, 8);
            Value conv = Graphs.conv2d(odd, masked.get("v", 3, 2, 3, 3), masked.get("c", 3), 1, 0, 1, 1);
            assertThrows(IllegalArgumentException.class, () -> Tape.inference(region, conv, masked, Backends.sparse()));
        }
    }
}
