package io.pare.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.pare.net.Op.BatchNorm;
import io.pare.net.Op.ResponseNorm;
import io.pare.net.Op.Subsample;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/** Random networks that are pruned like real ones. */
public final class PrunedNets {
    /** Weights left in conv1, conv2, fc1, fc2 of LeNet-5 at 167x. */
    public static final Map<String, Integer> KEPT_167X = Map.of("conv1.weight", 100, "conv2.weight", 1530,
            "fc1.weight", 590, "fc2.weight", 350);

    /** Normalisations and residual blocks of every form, one of them inside another. */
    public static final Net RESIDUAL =
            new NetBuilder("residual", Shape.of(3, 9, 10)).conv("conv1", 6, 3, 1, 1, false).norm("bn1").relu("relu1")
                    .add("norm1",
                            new ResponseNorm(3, 0.3f, 0.75f, 1.5f))
                    .residual("block1", body -> body.conv("conv2", 6, 3, 1, 1, true).relu("relu2")
                            .conv("conv3", 6, 1, 1, 0, false).add("bn3", new BatchNorm(6, 1e-3f)), shortcut -> {
                            })
                    .relu("relu3")
                    .residual("block2",
                            body -> body.conv("conv4", 11, 3, 2, 1, false).norm("bn4").relu("relu4").residual("block3",
                                    inner -> inner.conv("conv5", 11, 3, 1, 1, false).norm("bn5"), nothing -> {
                                    }),
                            shortcut -> shortcut.add("subsample1", new Subsample(11, 2)))
                    .residual("block4", body -> body.norm("bn6").relu("relu5").conv("conv6", 4, 2, 1, 0, true),
                            shortcut -> shortcut.conv("conv7", 4, 2, 1, 0, false).norm("bn7"))
                    .relu("relu6").globalAvgPool("pool1").flatten("flatten").linear("fc1", 5).build();

    private PrunedNets() {}

    /** Fails unless networks, scales and all values are the same, to the bit. */
    public static void assertSame(CompressedWeights expected, CompressedWeights actual) {
        assertEquals(expected.model(), actual.model());
        assertEquals(expected.scale(), actual.scale());
        expected.tensors().forEach((name, tensor) -> {
            CompressedTensor other = actual.tensor(name);
            assertArrayEquals(tensor.shape(), other.shape());
            assertEquals(tensor.nonzeros(), other.nonzeros(), name);
            assertArrayEquals(tensor.codebook(), other.codebook(), name);
            assertEquals(-1, Arrays.mismatch(tensor.toArray(), other.toArray()), () -> name + " differs at");
        });
    }

    /** LeNet-5 with the given weights kept. */
    public static CompressedWeights lenet5(Map<String, Integer> kept, int levels, double spread, long seed) {
        return of(Models.lenet5(), kept, levels, spread, seed);
    }

    /**
     * A network of which the given numbers of weights are left; biases are small, in steps of 1/64.
     *
     * @param levels number of distinct values for weights, 0 for no codebook
     * @param spread how unequal outputs and inputs are, as the deviation of the logarithm of their strength; 0 puts
     *            weights anywhere
     */
    public static CompressedWeights of(Net model, Map<String, Integer> kept, int levels, double spread, long seed) {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
        Map<String, CompressedTensor> tensors = new LinkedHashMap<>();
        for (Parameter parameter : model.parameters()) {
            long[] shape = parameter.shape();
            float[] values = new float[(int) parameter.count()];
            if (parameter.weight()) {
                int keep = kept.getOrDefault(parameter.name(), values.length);
                fill(values, shape, keep, levels, spread, random);
            } else {
                boolean positive = parameter.kind() == Parameter.Kind.SCALE
                        || parameter.kind() == Parameter.Kind.VARIANCE;
                for (int i = 0; i < values.length; i++) {
                    values[i] = Math.round(random.nextGaussian() * 4) / 64f + (positive ? 1 : 0);
                }
            }
            tensors.put(parameter.name(), CompressedTensor.of(values, shape));
        }
        return new CompressedWeights(model, tensors, InputScale.UNIT);
    }

    private static void fill(float[] values, long[] shape, int keep, int levels, double spread,
            RandomGenerator random) {
        int rows = (int) shape[0];
        int columns = values.length / rows;
        int taps = shape.length == 4 ? (int) (shape[2] * shape[3]) : 1;
        double[] byRow = random.doubles(rows).map(_ -> spread * random.nextGaussian()).toArray();
        double[] byChannel = random.doubles(columns).map(_ -> spread * random.nextGaussian()).toArray();
        double[] key = new double[values.length];
        for (int i = 0; i < key.length; i++) {
            key[i] = byRow[i / columns] + byChannel[i % columns / taps]
                    - Math.log(-Math.log(random.nextDouble()));
        }
        int[] order = largest(key, keep);
        // A power of two, so that values are exact multiples of it; outputs stay near the inputs' size.
        double scale = Math.scalb(1.0, (int) Math.rint(Math.log((double) rows / keep) / Math.log(4)) - 1);
        for (int i : order) {
            double sign = random.nextBoolean() ? 1 : -1;
            double size = levels == 0 ? 0.3 + Math.abs(random.nextGaussian())
                    : 1 + random.nextInt(Math.max(1, levels / 2));
            values[i] = (float) (scale * sign * size);
        }
    }

    /** The places of the largest keys, from the largest one on, equal ones as they lie. */
    private static int[] largest(double[] key, int count) {
        double[] sorted = Arrays.stream(key).map(k -> -k).sorted().toArray();
        int[] taken = new int[count];
        int[] order = new int[count];
        for (int i = 0; i < key.length; i++) {
            if (count == 0 || -key[i] > sorted[count - 1]) {
                continue;
            }
            // One of several equal ones, which share the count of the first.
            int at = Arrays.binarySearch(sorted, 0, count, -key[i]);
            while (at > 0 && sorted[at - 1] == sorted[at]) {
                at--;
            }
            int place = at + taken[at]++;
            if (place < count) {
                order[place] = i;
            }
        }
        return order;
    }
}
