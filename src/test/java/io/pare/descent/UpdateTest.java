package io.pare.descent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.pare.kernel.Bits;
import io.pare.kernel.Penalty;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The optimiser's steps by several threads beside {@link Optimizer#step} on one tensor after the other. */
class UpdateTest {
    /** The first and the last are cut by no thread; the others at odd places, for some numbers of threads in their tails. */
    private static final long[] SIZES = {1, 7, 65_536, 0, 100_003, 64, 131_072 + 17, 5};

    private record Tensor(FloatTensor value, FloatTensor gradient, FloatTensor first, FloatTensor second,
            Penalty penalty, Bits mask, Region region) implements Optimizer.Operand {
        @Override
        public FloatTensor state(int index) {
            return index == 0 ? first : second;
        }

        @Override
        public boolean decays() {
            return value.count() % 2 == 0;
        }

        @Override
        public Region.Hold hold() {
            return region.hold().take();
        }
    }

    static List<Optimizer> optimizers() {
        return List.of(Optimizer.ADAM, Optimizer.adamW(1e-3), Optimizer.sgd(0, 0), Optimizer.sgd(0.9, 1e-3),
                new Optimizer(Optimizer.Rule.NESTEROV, 0.9, 1e-3));
    }

    private static List<Tensor> tensors(Region region) {
        Random random = new Random(1);
        List<Tensor> all = new ArrayList<>();
        for (int i = 0; i < SIZES.length; i++) {
            long count = SIZES[i];
            FloatTensor z = normal(region, count, random);
            FloatTensor u = normal(region, count, random);
            MemorySegment bits = region.allocate(Math.max(1, Bits.bytes(count)));
            for (long at = 0; at < bits.byteSize(); at++) {
                bits.set(ValueLayout.JAVA_BYTE, at, (byte) random.nextInt());
            }
            all.add(new Tensor(normal(region, count, random), normal(region, count, random),
                    region.tensor(count), region.tensor(count),
                    i % 2 == 0 ? new Penalty(z.segment(), 0, u.segment(), 0, 0.1f) : null,
                    i % 3 == 0 ? null : new Bits(bits, 0), region));
        }
        return all;
    }

    private static FloatTensor normal(Region region, long count, Random random) {
        FloatTensor tensor = region.tensor(count);
        for (long i = 0; i < count; i++) {
            tensor.set(i, (float) random.nextGaussian());
        }
        return tensor;
    }

    @ParameterizedTest
    @MethodSource("optimizers")
    void hasTheSameBitsForEveryNumberOfThreads(Optimizer optimizer) {
        for (int threads : new int[]{1, 2, 3, 8}) {
            try (Region region = Region.shared("update")) {
                List<Tensor> alone = tensors(region);
                List<Tensor> divided = tensors(region);
                float before = alone.getFirst().value().get(0);
                try (Update update = new Update(divided, threads)) {
                    for (int step = 1; step <= 3; step++) {
                        for (Tensor tensor : alone) {
                            optimizer.step(tensor, 0.01, step);
                        }
                        update.step(optimizer, 0.01, step);
                    }
                }
                assertNotEquals(before, alone.getFirst().value().get(0), optimizer.toString());
                for (int i = 0; i < alone.size(); i++) {
                    String where = optimizer + ", " + threads + " threads, tensor " + i;
                    assertEquals(-1, alone.get(i).value().segment().mismatch(divided.get(i).value().segment()), where);
                    assertEquals(-1, alone.get(i).first().segment().mismatch(divided.get(i).first().segment()), where);
                    assertEquals(-1, alone.get(i).second().segment().mismatch(divided.get(i).second().segment()),
                            where);
                }
            }
        }
    }
}
