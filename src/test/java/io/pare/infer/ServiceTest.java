package io.pare.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.format.pare.PareFile;
import io.pare.mem.Region;
import io.pare.net.PrunedNets;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.WeakReference;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A service: eight threads predict while the model is loaded anew and swapped under them. */
class ServiceTest {
    private static final int THREADS = 8;
    private static final int IMAGES = 16;
    private static final int FEATURES = 784;
    private static final int CLASSES = 10;

    /** A model with its right answers, bit by bit. */
    private record Deployed(CompressedModel model, float[][] answers) {}

    private final float[][] images = images();
    private final byte[][] files = {PareFile.encode(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3)),
        PareFile.encode(PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 4))};
    private final float[][][] answers = {answers(files[0]), answers(files[1])};
    private final AtomicLong listened = new AtomicLong();
    private volatile Deployed serving;

    private static float[][] images() {
        Random random = new Random(1);
        float[][] images = new float[IMAGES][FEATURES];
        for (float[] image : images) {
            for (int i = 0; i < FEATURES; i++) {
                image[i] = random.nextInt(4) == 0 ? random.nextFloat() : 0;
            }
        }
        return images;
    }

    private float[][] answers(byte[] file) {
        try (CompressedModel model = CompressedModel.of(PareFile.decode(file))) {
            return Arrays.stream(images).map(model::predict).toArray(float[][]::new);
        }
    }

    private Deployed load(int version) throws IOException {
        CompressedModel model = CompressedModel.load(new ByteArrayInputStream(files[version % 2]));
        model.listener((count, nanoseconds, liveBytes) -> listened.addAndGet(count));
        return new Deployed(model, answers[version % 2]);
    }

    /** Predicts as services do, each thread from memory of another kind; gives the nanoseconds of each call. */
    private long[] predict(int thread, int predictions, Runnable done) {
        long[] nanoseconds = new long[predictions];
        float[] found = new float[CLASSES];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(FEATURES * 4);
            MemorySegment out = arena.allocate(CLASSES * 4);
            for (int i = 0; i < predictions; i++) {
                int which = (thread + i) % IMAGES;
                MemorySegment.copy(images[which], 0, image, ValueLayout.JAVA_FLOAT, 0, FEATURES);
                long begin = System.nanoTime();
                Deployed used = null;
                while (used == null) {
                    Deployed now = serving;
                    try {
                        switch (thread % 3) {
                            case 0 -> now.model().predict(images[which], 1, found);
                            case 1 -> now.model().predict(FloatBuffer.wrap(images[which]), 1, FloatBuffer.wrap(found));
                            default -> {
                                now.model().predict(image, 1, out);
                                MemorySegment.copy(out, ValueLayout.JAVA_FLOAT, 0, found, 0, CLASSES);
                            }
                        }
                        used = now;
                    } catch (IllegalStateException e) {
                        // Closed after it was read: the next one serves already.
                        assertTrue(e.getMessage().contains("closed") && serving != now, e.getMessage());
                    }
                }
                nanoseconds[i] = System.nanoTime() - begin;
                assertTrue(Arrays.equals(used.answers()[which], found), "a wrong answer in prediction " + i);
                done.run();
            }
        }
        return nanoseconds;
    }

    private String serve(int predictions, int swaps) throws Exception {
        long liveBytes = Region.liveBytes();
        int liveRegions = Region.liveRegions();
        List<WeakReference<CompressedModel>> old = new ArrayList<>();
        Semaphore due = new Semaphore(0);
        AtomicInteger done = new AtomicInteger();
        Runnable count = () -> {
            if (done.incrementAndGet() % (predictions / swaps) == 0) {
                due.release();
            }
        };
        listened.set(0);
        serving = load(0);
        long[] all = new long[predictions];
        long begin = System.nanoTime();
        try (ExecutorService service = Executors.newFixedThreadPool(THREADS)) {
            List<Future<long[]>> running = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                int number = thread;
                running.add(service.submit(() -> predict(number, predictions / THREADS, count)));
            }
            for (int swap = 1; swap <= swaps; swap++) {
                due.acquire();
                Deployed last = serving;
                serving = load(swap);
                last.model().close();
                old.add(new WeakReference<>(last.model()));
            }
            for (int thread = 0; thread < THREADS; thread++) {
                long[] part = running.get(thread).get();
                System.arraycopy(part, 0, all, thread * part.length, part.length);
            }
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        serving.model().close();
        assertEquals(predictions, listened.get());
        assertEquals(liveBytes, Region.liveBytes());
        assertEquals(liveRegions, Region.liveRegions());
        serving = null;
        for (int tries = 0; old.stream().anyMatch(model -> model.get() != null); tries++) {
            assertTrue(tries < 50, "models that were swapped out are still held");
            System.gc();
        }
        Arrays.sort(all);
        return String.format(Locale.ROOT, "%,d predictions by %d threads in %.1f s, %,d swaps: median %.1f us,"
                + " p99 %.1f us, p99.9 %.1f us, largest %.1f ms", predictions, THREADS, seconds, swaps,
                all[predictions / 2] / 1e3, all[(int) (predictions * 0.99)] / 1e3,
                all[(int) (predictions * 0.999)] / 1e3, all[predictions - 1] / 1e6);
    }

    @Test
    void everyAnswerIsRightWhileModelsAreSwapped() throws Exception {
        serve(16_000, 40);
    }

    @Test
    @Tag("long")
    void aMillionAnswersAreRightThroughAThousandSwaps() throws Exception {
        System.out.println(serve(1_000_000, 1_000));
    }
}
