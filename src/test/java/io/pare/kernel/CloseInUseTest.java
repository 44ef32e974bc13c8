package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.mem.ForkedJvm;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Another thread closes the memory that a call uses, or the projections, in JVMs of their own: one in which a call went on
 * in memory that is freed crashes.
 */
@Tag("process")
class CloseInUseTest {
    @Test
    void nothingIsFreedUnderACall(@TempDir Path folder) throws IOException, InterruptedException {
        closeInUse(folder, ForkedJvm.count(1));
    }

    @Test
    @Tag("long")
    void nothingIsFreedInManyJvms(@TempDir Path folder) throws IOException, InterruptedException {
        closeInUse(folder, ForkedJvm.count(100));
    }

    private static void closeInUse(Path folder, int jvms) throws IOException, InterruptedException {
        for (int jvm = 0; jvm < jvms; jvm++) {
            String printed = ForkedJvm.run(folder, Closing.class);
            assertTrue(printed.contains("all were closed"), printed);
        }
    }

    static final class Closing {
        private static final int N = 400_000;
        /** For what goes over them again and again: vectors are objects until they are compiled. */
        private static final int FEW = 10_000;

        private Closing() {}

        private interface Call {
            void on(Projections p, MemorySegment x, MemorySegment z);
        }

        public static void main(String[] args) throws InterruptedException {
            Kernels kernels = Kernels.active();
            List<Call> projections = List.of((p, x, z) -> p.topK(x, 0, z, 0, N, N / 4),
                    (p, x, z) -> p.kMeansExact(x, 0, FEW, null, 0, 4, z, 0),
                    (p, x, z) -> p.joint(x, 0, FEW, FEW / 2, 4, false, z, 4L * N - 64, 3, z, 0, null, 0));
            List<Call> all = new ArrayList<>(projections);
            all.add((_, x, _) -> kernels.scale(-1, x, 0, N));
            all.add((_, x, z) -> kernels.add(x, 0, z, 0, z, 0, N));
            all.forEach(call -> close(call, true));
            projections.forEach(call -> close(call, false));
            System.out.println("all were closed");
        }

        /** Closes the caller's arena, or the projections, while another thread calls until it is refused. */
        private static void close(Call call, boolean memory) {
            Arena arena = Arena.ofShared();
            Projections p = Projections.open(2);
            MemorySegment x = arena.allocate(N * 4L, 64);
            MemorySegment z = arena.allocate(N * 4L, 64);
            for (int i = 0; i < N; i++) {
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (i * 7919L % 1009 - 500) / 500f);
            }
            CountDownLatch first = new CountDownLatch(1);
            Thread caller = Thread.ofPlatform().start(() -> {
                try {
                    while (true) {
                        call.on(p, x, z);
                        first.countDown();
                    }
                } catch (IllegalStateException refused) {
                    // It is closed.
                }
            });
            awaitEnd(first, caller, memory ? arena : p);
            p.close();
            if (arena.scope().isAlive()) {
                arena.close();
            }
        }

        private static void awaitEnd(CountDownLatch first, Thread caller, AutoCloseable closed) {
            try {
                first.await();
                while (caller.isAlive()) {
                    try {
                        closed.close();
                        caller.join();
                    } catch (IllegalStateException inUse) {
                        Thread.yield();
                    }
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }
}
