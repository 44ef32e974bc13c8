package io.pare.mem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class OneThreadTest {
    @Test
    void theSecondThreadIsRefusedAndTheFirstGoesOn() throws Exception {
        OneThread oneThread = new OneThread("tape");
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        try (ExecutorService other = Executors.newSingleThreadExecutor(
                task -> Thread.ofPlatform().name("first").unstarted(task))) {
            Future<?> first = other.submit(() -> {
                oneThread.enter();
                entered.countDown();
                leave.await();
                oneThread.enter();
                oneThread.exit();
                oneThread.exit();
                return null;
            });
            entered.await();
            IllegalStateException e = assertThrows(IllegalStateException.class, oneThread::enter);
            assertTrue(e.getMessage().startsWith("tape is used by two threads, 'first' and"), e.getMessage());
            leave.countDown();
            first.get();
        }
        oneThread.enter();
        oneThread.exit();
    }

    @Test
    void noTwoThreadsAreEverInside() throws Exception {
        OneThread oneThread = new OneThread("counter");
        int[] counted = {0};
        int[] done = {0, 0};
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Future<?>[] both = new Future<?>[2];
            for (int t = 0; t < 2; t++) {
                int me = t;
                both[t] = threads.submit(() -> {
                    while (done[me] < 20_000) {
                        try {
                            oneThread.enter();
                        } catch (IllegalStateException refused) {
                            continue;
                        }
                        try {
                            counted[0]++;
                            done[me]++;
                        } finally {
                            oneThread.exit();
                        }
                    }
                });
            }
            for (Future<?> each : both) {
                each.get();
            }
        }
        assertEquals(done[0] + done[1], counted[0]);
    }
}
