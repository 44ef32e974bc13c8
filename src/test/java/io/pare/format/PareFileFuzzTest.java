package io.pare.format;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.pare.model.ImageShape;
import io.pare.model.Layer.Conv2d;
import io.pare.model.Layer.Flatten;
import io.pare.model.Layer.Linear;
import io.pare.model.Layer.MaxPool;
import io.pare.model.Layer.Relu;
import io.pare.model.Model;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/**
 * Damaged files, with a checksum that is right all the same: a reader may refuse or give some network, and must do
 * either soon, and without asking for more memory than twice what the network that the file declares takes: its weights, and the values
 * that its layers give for a sample.
 *
 * <p>{@link #main} is the long run: {@code PareFileFuzzTest SECONDS SEED}.
 */
class PareFileFuzzTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    /** What reading takes besides tensors: tables of contexts, names, lists, the file's own bytes. */
    private static final long OVERHEAD_BYTES = 1 << 20;
    private static final long SLOW_NANOS = 2_000_000_000L;
    private static final byte[][] SEEDS = seeds();

    private static byte[][] seeds() {
        Model odd = new Model("odd", new ImageShape(2, 8, 9), 6,
                List.of(new Conv2d("first", 2, 6, 3, 2, 2, 1, 1, 2), new Relu("relu1"), new MaxPool("pool1", 2, 1, 1),
                        new Flatten("flatten"), new Linear("last", 6 * 5 * 6, 6)));
        return new byte[][]{PareFile.encode(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3)),
            PareFile.encode(PrunedNets.lenet5(Map.of("conv1.weight", 30, "conv2.weight", 60, "fc1.weight", 80,
                    "fc2.weight", 40), 0, 1, 3)),
            PareFile.encode(UnitOrder.sort(PrunedNets.lenet5(Map.of("conv1.weight", 90, "conv2.weight", 500,
                    "fc1.weight", 300, "fc2.weight", 150), 4, 1.5, 3))),
            PareFile.encode(PrunedNets.of(odd, Map.of("last.weight", 90), 6, 0, 3)),
            PareFile.encode(PrunedNets.of(odd, Map.of("last.weight", 0), 1, 0, 3))};
    }

    /** Changes bytes, cuts, repeats, or makes everything up; then puts the checksum right. */
    private static byte[] mutate(SplittableRandom random) {
        byte[] seed = SEEDS[random.nextInt(SEEDS.length)];
        byte[] file = seed.clone();
        int payload = file.length - 9;
        switch (random.nextInt(5)) {
            case 0 -> file = Arrays.copyOf(seed, 9 + random.nextInt(payload));
            case 1 -> file = Arrays.copyOf(seed, 9 + payload + random.nextInt(200));
            case 2 -> {
                file = Arrays.copyOf(seed, 9 + random.nextInt(64));
                for (int i = 5; i < file.length; i++) {
                    file[i] = (byte) random.nextInt();
                }
            }
            default -> {
                // Most damage stands near the beginning, where sizes are.
                for (int i = random.nextInt(6); i >= 0; i--) {
                    int reach = random.nextInt(3) == 0 ? payload : Math.min(payload, 24);
                    file[5 + random.nextInt(reach)] ^= (byte) (1 << random.nextInt(8));
                }
            }
        }
        return PareFileTest.reseal(file);
    }

    /** Reads a file; returns whether it was refused. */
    private static boolean read(byte[] file) {
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long start = THREADS.getCurrentThreadCpuTime();
        long declared = 0;
        boolean refused = false;
        try {
            CompressedWeights weights = PareFile.decode(file);
            declared = weights.model().parameters().stream().mapToLong(p -> 4 * p.count()).sum()
                    + weights.model().shapes().stream().mapToLong(shape -> 4L * shape.features()).sum();
        } catch (FormatException e) {
            refused = true;
            // A file that is refused declared its sizes too; they are gone, so only the overall bound is known.
            declared = 4 * PareFile.MAX_FEATURES;
        }
        long nanos = THREADS.getCurrentThreadCpuTime() - start;
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - allocated;
        assertTrue(nanos < SLOW_NANOS, () -> nanos / 1000000 + " ms for " + Base64.getEncoder().encodeToString(file));
        long limit = 2 * declared + OVERHEAD_BYTES;
        assertTrue(bytes < limit,
                () -> bytes + " bytes, limit " + limit + ", for " + Base64.getEncoder().encodeToString(file));
        return refused;
    }

    @Property(tries = 300)
    void damagedFilesAreReadOrRefused(@ForAll long seed) {
        read(mutate(new SplittableRandom(seed)));
    }

    @Property(tries = 300)
    void bytesThatWereNeverAFileAreReadOrRefused(@ForAll @Size(max = 64) byte[] noise,
            @ForAll @IntRange(max = 3) int known) {
        byte[] file = Arrays.copyOf(new byte[]{'P', 'A', 'R', 'E', 1, (byte) (known << 6)}, 10 + noise.length);
        System.arraycopy(noise, 0, file, 6, noise.length);
        read(PareFileTest.reseal(file));
    }

    /** Runs for a number of seconds; prints what it did. */
    public static void main(String[] args) {
        long end = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000_000L;
        SplittableRandom random = new SplittableRandom(Long.parseLong(args[1]));
        long count = 0;
        long refused = 0;
        while (System.nanoTime() < end) {
            refused += read(mutate(random)) ? 1 : 0;
            count++;
        }
        System.out.println(count + " inputs, " + refused + " refused, none crashed, hung or asked for too much memory");
    }
}
