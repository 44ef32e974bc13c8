package io.pare.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.InputScale;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrefetchTest {
    private static final InputScale SCALE = new InputScale(List.of(0.4f, 0.5f, 0.6f), List.of(0.2f, 0.25f, 0.3f));
    private static final Augmentation FULL = new Augmentation(new Shift(2, false), Crop.RESIZED, true);

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void threadsDoNotChangeABit(int threads) {
        Dataset data = noise(53);
        List<float[]> expected = epochs(Batches.shuffled(data, 8, SCALE, FULL, 5));
        List<float[]> found = epochs(Batches.shuffled(data.loaders(threads), 8, SCALE, FULL, 5));
        assertEquals(expected.size(), found.size());
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), found.get(i), "batch " + i);
        }
    }

    @Test
    void decodedPicturesAreTheSameWhateverTheThreads() throws IOException {
        Path pictures = Pictures.folder(folder, 9, 60, 45, ".jpg");
        Corpus corpus = ImageFolder.load(pictures, new ImageFolder.Shape(3, 32, 32, 0), OddImages.refused(), 2);
        assertTrue(corpus.train().slow());
        List<float[]> expected = epochs(Batches.shuffled(corpus.train(), 4, SCALE, FULL, 5));
        List<float[]> found = epochs(Batches.shuffled(corpus.train().loaders(3), 4, SCALE, FULL, 5));
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), found.get(i), "batch " + i);
        }
        assertNotEquals(Arrays.hashCode(expected.get(0)), Arrays.hashCode(expected.get(4)));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void anEpochMayBeginAnywhereAndBeLeftAtAnyTime(int threads) {
        Dataset data = noise(40).loaders(threads);
        try (Region region = Region.shared("test");
                Batches batches = Batches.shuffled(data, 4, SCALE, FULL, 5);
                Batches other = Batches.shuffled(data, 4, SCALE, FULL, 5)) {
            FloatTensor images = region.tensor(4, 3, 8, 8);
            MemorySegment labels = region.allocate(16);
            for (int epoch = 0; epoch < 3; epoch++) {
                batches.seek(epoch, 0);
                for (int i = 0; i < 10; i++) {
                    assertEquals(4, batches.next(images, labels));
                    float[] whole = images.toArray();
                    int[] rows = {batches.index(0), batches.index(3)};
                    other.seek(epoch, i);
                    assertEquals(4, other.next(images, labels));
                    assertArrayEquals(whole, images.toArray());
                    assertArrayEquals(rows, new int[]{other.index(0), other.index(3)});
                    assertEquals(data.label(rows[1]), labels.getAtIndex(ValueLayout.JAVA_INT, 3));
                }
                assertEquals(0, batches.next(images, labels));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void unreadablePicturesAreLeftOutOrReplacedByTheNext(int threads) throws IOException {
        Path pictures = Pictures.folder(folder, 6, 60, 45, ".jpg");
        List<String> notes = new ArrayList<>();
        OddImages odd = new OddImages(OddImages.Rule.SKIP, OddImages.Rule.CONVERT, notes::add);
        Corpus corpus = ImageFolder.load(pictures, new ImageFolder.Shape(3, 32, 32, 0), odd, 1);
        // What is damaged after the look at the heads is found when it is decoded.
        Files.writeString(pictures.resolve("train/one/p2.jpg"), "gone bad");
        Dataset data = corpus.train().loaders(threads);
        try (Region region = Region.shared("test");
                Batches inOrder = Batches.inOrder(data, 5, SCALE);
                Batches shuffled = Batches.shuffled(data, 4, SCALE, FULL, 1)) {
            FloatTensor images = region.tensor(5, 3, 32, 32);
            MemorySegment labels = region.allocate(20);
            assertEquals(4, inOrder.next(images, labels));
            assertArrayEquals(new int[]{0, 1, 3, 4},
                    new int[]{inOrder.index(0), inOrder.index(1), inOrder.index(2), inOrder.index(3)});
            assertEquals(0f, images.get(4 * 3072));
            assertEquals(5, inOrder.next(images, labels));
            assertEquals(2, inOrder.next(images, labels));
            assertEquals(0, inOrder.next(images, labels));
            FloatTensor four = region.tensor(4, 3, 32, 32);
            int threes = 0;
            for (int i = 0; i < 3; i++) {
                assertEquals(4, shuffled.next(four, labels));
                for (int row = 0; row < 4; row++) {
                    threes += shuffled.index(row) == 3 ? 1 : 0;
                    assertNotEquals(2, shuffled.index(row));
                }
            }
            assertEquals(2, threes);
        }
        assertEquals(1, odd.skipped());
        assertEquals(1, notes.size(), notes.toString());
        assertTrue(notes.get(0).contains("p2.jpg") && notes.get(0).contains("no picture that is read here"),
                notes.get(0));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 3})
    void aRefusedPictureFailsTheBatchThatItIsIn(int threads) throws IOException {
        Path pictures = Pictures.folder(folder, 8, 60, 45, ".jpg");
        Corpus corpus = ImageFolder.load(pictures, new ImageFolder.Shape(3, 32, 32, 0), OddImages.refused(), 1);
        Path bad = Files.writeString(pictures.resolve("train/two/p1.jpg"), "gone bad");
        try (Region region = Region.shared("test");
                Batches batches = Batches.inOrder(corpus.train().loaders(threads), 4, SCALE)) {
            FloatTensor images = region.tensor(4, 3, 32, 32);
            MemorySegment labels = region.allocate(16);
            assertEquals(4, batches.next(images, labels));
            assertEquals(4, batches.next(images, labels));
            String message = assertThrows(DataException.class, () -> batches.next(images, labels)).getMessage();
            assertTrue(message.startsWith(bad + " is no picture"), message);
        }
    }

    /** Executors of all tempers: none changes a bit, loses a batch or lets Pare start a thread. */
    @Test
    void anExecutorLoadsInPlaceOfThreads() throws IOException {
        Dataset data = noise(53);
        List<float[]> expected = epochs(Batches.shuffled(data, 8, SCALE, FULL, 5));
        int regions = Region.liveRegions();
        Queue<Runnable> late = new ConcurrentLinkedQueue<>();
        try (ExecutorService one = Executors.newFixedThreadPool(1);
                ExecutorService three = Executors.newFixedThreadPool(3);
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Executor executor : List.<Executor>of(one, three, virtual, Runnable::run, late::add, task -> {
                throw new RejectedExecutionException("full");
            })) {
                List<float[]> found = epochs(Batches.shuffled(data.loaders(3, executor), 8, SCALE, FULL, 5));
                assertEquals(expected.size(), found.size());
                for (int i = 0; i < expected.size(); i++) {
                    assertArrayEquals(expected.get(i), found.get(i), "batch " + i);
                }
            }
            assertEquals(0, loaders());
            assertFalse(late.isEmpty());
            // They find the ring closed.
            late.forEach(Runnable::run);
            Path pictures = Pictures.folder(folder, 9, 60, 45, ".jpg");
            ImageFolder.Shape shape = new ImageFolder.Shape(3, 32, 32, 0);
            Corpus here = ImageFolder.load(pictures, shape, OddImages.refused(), 1);
            Corpus there = ImageFolder.load(pictures, shape, OddImages.refused(), three, 3);
            assertEquals(here.train().fingerprint(), there.train().fingerprint());
        }
        assertEquals(regions, Region.liveRegions());
    }

    @Test
    void closingEndsTheThreadsAndFreesTheRing() {
        int regions = Region.liveRegions();
        Batches batches = Batches.shuffled(noise(40).loaders(3), 4, SCALE, FULL, 1);
        batches.seek(0, 0);
        assertEquals(3, loaders());
        assertEquals(regions + 1, Region.liveRegions());
        batches.close();
        assertEquals(0, loaders());
        assertEquals(regions, Region.liveRegions());
        try (Region region = Region.confined("batch")) {
            FloatTensor images = region.tensor(4, batches.data().imageBytes());
            assertThrows(IllegalStateException.class, () -> batches.next(images, region.allocate(4 * Integer.BYTES)));
        }
    }

    @Test
    void noThreadIsStartedUnasked() {
        try (Batches batches = Batches.shuffled(noise(40), 4, SCALE, FULL, 1)) {
            batches.seek(0, 0);
            assertEquals(0, loaders());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void takingBatchesAllocatesNothing(int threads) {
        ThreadMXBean counter = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Region region = Region.shared("test");
                Batches batches = Batches.shuffled(noise(4000).loaders(threads), 16, SCALE, FULL, 1)) {
            FloatTensor images = region.tensor(16, 3, 8, 8);
            MemorySegment labels = region.allocate(64);
            long least = Long.MAX_VALUE;
            for (int epoch = 0; epoch < 60; epoch++) {
                batches.seek(epoch, 0);
                long before = total(counter);
                for (int i = 0; i < 250; i++) {
                    batches.next(images, labels);
                }
                least = Math.min(least, total(counter) - before);
            }
            // Until the compiler has seen it, segments are sliced on the heap; and the counter itself allocates.
            assertTrue(least < 250 * 16 * 8, least + " bytes in 250 batches");
        }
    }

    /** Bytes allocated by this thread and the loading ones. */
    private static long total(ThreadMXBean counter) {
        long sum = 0;
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread == Thread.currentThread() || thread.getName().startsWith("pare-loader-")) {
                sum += counter.getThreadAllocatedBytes(thread.threadId());
            }
        }
        return sum;
    }

    private static long loaders() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("pare-loader-") && thread.isAlive()).count();
    }

    private static Dataset noise(int count) {
        byte[] pixels = new byte[count * 3 * 64];
        new SplittableRandom(9).nextBytes(pixels);
        byte[] labels = new byte[count];
        for (int i = 0; i < count; i++) {
            labels[i] = (byte) (i % 7);
        }
        return new Dataset("noise", 3, 8, 8, 7, pixels, labels);
    }

    /** The first two epochs, labels after the pixels of each batch. */
    private static List<float[]> epochs(Batches batches) {
        List<float[]> all = new ArrayList<>();
        Dataset data = batches.data();
        int size = batches.batchSize();
        try (Region region = Region.shared("test"); batches) {
            FloatTensor images = region.tensor(size, data.channels(), data.height(), data.width());
            MemorySegment labels = region.allocate(size * Integer.BYTES);
            for (int epoch = 0; epoch < 2; epoch++) {
                batches.seek(epoch, 0);
                while (batches.next(images, labels) > 0) {
                    float[] batch = Arrays.copyOf(images.toArray(), (int) images.count() + size);
                    for (int i = 0; i < size; i++) {
                        batch[(int) images.count() + i] = labels.getAtIndex(ValueLayout.JAVA_INT, i);
                    }
                    all.add(batch);
                }
            }
        }
        assertFalse(all.isEmpty());
        return all;
    }
}
