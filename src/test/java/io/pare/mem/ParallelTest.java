package io.pare.mem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ParallelTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void theFirstFailureIsThrownAnErrorToo(int threads) {
        OutOfMemoryError[] errors = {new OutOfMemoryError("first"), new OutOfMemoryError("second")};
        assertSame(errors[0], assertThrows(OutOfMemoryError.class, () -> Parallel.run(threads, 100, () -> item -> {
            if (item == 20 || item == 60) {
                throw errors[item / 40];
            }
        })));
    }

    private static void assertEachOnce(Executor executor) {
        AtomicIntegerArray seen = new AtomicIntegerArray(500);
        Parallel.run(executor, 4, seen.length(), () -> seen::incrementAndGet);
        for (int i = 0; i < seen.length(); i++) {
            assertEquals(1, seen.get(i), "item " + i);
        }
    }

    @Test
    void anExecutorThatRefusesOrRunsTasksHereOrNeverLosesNothing() {
        assertEachOnce(Runnable::run);
        assertEachOnce(task -> {
            throw new RejectedExecutionException("full");
        });
        Queue<Runnable> never = new ConcurrentLinkedQueue<>();
        assertEachOnce(never::add);
        assertEquals(3, never.size());
        // Begun when all is over, they do nothing.
        never.forEach(Runnable::run);
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            assertEachOnce(pool);
        }
        try (ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            assertEachOnce(virtual);
        }
    }

    /** All threads of the pool wait for work that they gave to the same pool. */
    @Test
    void aPoolThatIsBusyWithItsCallersDoesNotHang() throws Exception {
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            CountDownLatch both = new CountDownLatch(2);
            List<Future<Integer>> running = new ArrayList<>();
            for (int caller = 0; caller < 2; caller++) {
                running.add(pool.submit(() -> {
                    both.countDown();
                    both.await();
                    AtomicInteger sum = new AtomicInteger();
                    Parallel.run(pool, 4, 100, () -> sum::addAndGet);
                    return sum.get();
                }));
            }
            for (Future<Integer> each : running) {
                assertEquals(99 * 50, each.get());
            }
        }
    }

    @Test
    void threadsOfItsOwnEndWithItAndTasksAreClosed() {
        AtomicInteger opened = new AtomicInteger();
        Map<Thread, Boolean> seen = new ConcurrentHashMap<>();
        CountDownLatch all = new CountDownLatch(3);
        Parallel.run(3, 3, () -> {
            opened.incrementAndGet();
            return new Parallel.Task() {
                @Override
                public void run(int item) {
                    seen.put(Thread.currentThread(), true);
                    all.countDown();
                    try {
                        all.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }

                @Override
                public void close() {
                    opened.decrementAndGet();
                }
            };
        });
        assertEquals(0, opened.get());
        assertEquals(3, seen.size());
        seen.keySet().forEach(thread -> assertTrue(thread == Thread.currentThread() || !thread.isAlive()));
    }
}
