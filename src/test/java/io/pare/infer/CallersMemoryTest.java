package io.pare.infer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.pare.net.CompressedWeights;
import io.pare.net.PrunedNets;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Images and outputs in buffers and segments: the same bits as in arrays, and no garbage. */
class CallersMemoryTest {
    private static final int[] COUNTS = {0, 1, 7, 8, 16, 37};
    private static final CompressedWeights WEIGHTS = PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3);
    private static final int FEATURES = 784;
    private static final int CLASSES = 10;
    private static final float UNTOUCHED = -7;

    private static float[] images(int count) {
        Random random = new Random(count);
        float[] images = new float[count * FEATURES];
        for (int i = 0; i < images.length; i++) {
            images[i] = random.nextInt(4) == 0 ? random.nextFloat() : 0;
        }
        return images;
    }

    private static float[] expected(CompressedModel model, int count, boolean probabilities) {
        float[] expected = new float[(count + 1) * CLASSES];
        Arrays.fill(expected, UNTOUCHED);
        if (probabilities) {
            model.predict(images(count), count, expected);
        } else {
            model.logits(images(count), count, expected);
        }
        return expected;
    }

    private static FloatBuffer filled(FloatBuffer buffer, float[] values) {
        return buffer.position(3).mark().put(values).limit(buffer.position()).reset();
    }

    private static FloatBuffer direct(int floats, ByteOrder order) {
        return ByteBuffer.allocateDirect(floats * Float.BYTES).order(order).asFloatBuffer();
    }

    @Test
    void buffersOfFloatsGiveTheSameBits() {
        try (CompressedModel model = CompressedModel.of(WEIGHTS)) {
            Session session = model.session();
            for (int count : COUNTS) {
                int floats = count * FEATURES + 3;
                int outs = (count + 1) * CLASSES + 3;
                float[] nothing = new float[(count + 1) * CLASSES];
                Arrays.fill(nothing, UNTOUCHED);
                for (FloatBuffer in : List.of(FloatBuffer.allocate(floats), direct(floats, ByteOrder.BIG_ENDIAN),
                        direct(floats, ByteOrder.LITTLE_ENDIAN))) {
                    FloatBuffer images = filled(in, images(count)).asReadOnlyBuffer();
                    FloatBuffer out = filled(in.isDirect() ? direct(outs, in.order()) : FloatBuffer.allocate(outs),
                            nothing);
                    float[] found = new float[nothing.length];
                    session.logits(images, count, out);
                    out.get(out.position(), found);
                    assertArrayEquals(expected(model, count, false), found);
                    model.predict(images, count, out);
                    out.get(out.position(), found);
                    assertArrayEquals(expected(model, count, true), found);
                    session.predict(images, count, out);
                    model.logits(images, count, out);
                    out.get(out.position(), found);
                    assertArrayEquals(expected(model, count, false), found);
                    assertEquals(3, images.position());
                    assertEquals(3, out.position());
                }
            }
        }
    }

    @Test
    void buffersOfBytesGiveTheSameBitsInAnyOrder() {
        try (CompressedModel model = CompressedModel.of(WEIGHTS)) {
            Session session = model.session();
            for (int count : COUNTS) {
                for (ByteOrder order : List.of(ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN)) {
                    for (boolean direct : new boolean[]{true, false}) {
                        int bytes = count * FEATURES * Float.BYTES + 1;
                        int outs = (count + 1) * CLASSES * Float.BYTES + 1;
                        ByteBuffer in = (direct ? ByteBuffer.allocateDirect(bytes) : ByteBuffer.allocate(bytes))
                                .order(order).position(1);
                        in.slice().order(order).asFloatBuffer().put(images(count));
                        ByteBuffer images = in.asReadOnlyBuffer().order(order);
                        ByteBuffer out = (direct ? ByteBuffer.allocateDirect(outs) : ByteBuffer.allocate(outs))
                                .order(order).position(1);
                        FloatBuffer given = out.slice().order(order).asFloatBuffer();
                        for (int i = 0; i < (count + 1) * CLASSES; i++) {
                            given.put(i, UNTOUCHED);
                        }
                        float[] found = new float[(count + 1) * CLASSES];
                        session.logits(images, count, out);
                        given.get(0, found);
                        assertArrayEquals(expected(model, count, false), found);
                        model.predict(images, count, out);
                        given.get(0, found);
                        assertArrayEquals(expected(model, count, true), found);
                        session.predict(images, count, out);
                        model.logits(images, count, out);
                        given.get(0, found);
                        assertArrayEquals(expected(model, count, false), found);
                        assertEquals(1, images.position());
                    }
                }
            }
        }
    }

    @Test
    void segmentsGiveTheSameBitsAtAnyAddress() {
        try (CompressedModel model = CompressedModel.of(WEIGHTS); Arena arena = Arena.ofConfined()) {
            Session session = model.session();
            for (int count : COUNTS) {
                int floats = count * FEATURES;
                int outs = (count + 1) * CLASSES;
                for (boolean onHeap : new boolean[]{true, false}) {
                    for (int odd : new int[]{0, 1}) {
                        long bytes = (long) floats * Float.BYTES + odd;
                        long outBytes = (long) outs * Float.BYTES + odd;
                        MemorySegment in = (onHeap
                                ? MemorySegment.ofArray(new byte[(int) bytes])
                                : arena.allocate(bytes)).asSlice(odd);
                        MemorySegment out = (onHeap
                                ? MemorySegment.ofArray(new byte[(int) outBytes])
                                : arena.allocate(outBytes)).asSlice(odd);
                        MemorySegment.copy(images(count), 0, in, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, floats);
                        for (int i = 0; i < outs; i++) {
                            out.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, UNTOUCHED);
                        }
                        MemorySegment images = in.asReadOnly();
                        session.logits(images, count, out);
                        assertArrayEquals(expected(model, count, false), floats(out));
                        model.predict(images, count, out);
                        assertArrayEquals(expected(model, count, true), floats(out));
                        session.predict(images, count, out);
                        model.logits(images, count, out);
                        assertArrayEquals(expected(model, count, false), floats(out));
                    }
                }
            }
        }
    }

    private static float[] floats(MemorySegment segment) {
        return segment.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    private static void assertRefused(String words, Runnable call) {
        String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
        assertTrue(message.contains(words), message);
    }

    @Test
    void whatDoesNotFitIsRefused() {
        try (CompressedModel model = CompressedModel.of(WEIGHTS); Arena arena = Arena.ofShared()) {
            FloatBuffer images = FloatBuffer.wrap(images(2));
            FloatBuffer out = FloatBuffer.allocate(20);
            assertRefused("the buffer has 1567", () -> model.logits(images.duplicate().position(1), 2, out));
            assertRefused("the buffer has 19", () -> model.logits(images, 2, out.duplicate().limit(19)));
            assertRefused("-1 samples", () -> model.logits(images, -1, out));
            assertRefused("read-only", () -> model.logits(images, 2, out.asReadOnlyBuffer()));
            assertRefused("the buffer has 19", () -> model.predict(ByteBuffer.allocate(2 * FEATURES * 4), 2,
                    ByteBuffer.allocate(79)));
            assertRefused("read-only", () -> model.predict(ByteBuffer.allocate(2 * FEATURES * 4), 2,
                    ByteBuffer.allocate(80).asReadOnlyBuffer()));
            MemorySegment segment = arena.allocate(2 * FEATURES * 4);
            assertRefused("the segment has 1567", () -> model.predict(segment.asSlice(1), 2, segment));
            assertRefused("read-only", () -> model.predict(segment, 2, segment.asReadOnly()));
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, FEATURES + 5, Float.NaN);
            assertRefused("input 5 of image 1 for lenet5", () -> model.predict(segment, 2, arena.allocate(80)));
        }
    }

    @Test
    void segmentsOfOthersAndClosedOnesAreRefused() {
        try (CompressedModel model = CompressedModel.of(WEIGHTS)) {
            MemorySegment out = MemorySegment.ofArray(new float[CLASSES]);
            MemorySegment closed;
            try (Arena arena = Arena.ofConfined()) {
                closed = arena.allocate(FEATURES * 4);
                CompletionException thrown = assertThrows(CompletionException.class, CompletableFuture
                        .runAsync(() -> model.predict(arena.allocate(FEATURES * 4), 1, out))::join);
                assertEquals(WrongThreadException.class, thrown.getCause().getClass());
            }
            assertThrows(IllegalStateException.class, () -> model.predict(closed, 1, out));
            float[] found = new float[CLASSES];
            model.predict(new float[FEATURES], 1, found);
            assertTrue(found[0] > 0, "the model goes on");
        }
    }

    @Test
    void anExecutorChangesNoBitAndPareStartsNoThread() {
        int count = 700;
        try (CompressedModel model = CompressedModel.of(WEIGHTS);
                ExecutorService one = Executors.newFixedThreadPool(1);
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            float[] expected = expected(model, count, true);
            AtomicLong told = new AtomicLong();
            AtomicLong tasks = new AtomicLong();
            model.listener((images, nanoseconds, liveBytes) -> told.addAndGet(images));
            for (Executor executor : List.<Executor>of(one, virtual, Runnable::run, _ -> {
                // Never runs it.
            })) {
                model.executor(task -> {
                    tasks.incrementAndGet();
                    executor.execute(task);
                });
                assertArrayEquals(expected, expected(model, count, true));
                float[] images = images(count);
                images[count * FEATURES - 3] = Float.NaN;
                assertRefused("input 781 of image 699", () -> model.predict(images, count));
            }
            assertTrue(tasks.get() > 0 || Runtime.getRuntime().availableProcessors() == 1);
            assertEquals(4 * count, told.get());
            assertFalse(Thread.getAllStackTraces().keySet().stream()
                    .anyMatch(thread -> thread.getName().startsWith("pare-worker")));
            AutoCloseable closing = model;
            model.executor(_ -> assertDoesNotThrow(closing::close));
            assertArrayEquals(expected, expected(model, count, true), "a call that is closed in its midst ends well");
        }
    }

    @Test
    void aSessionMakesNoGarbage() {
        try (CompressedModel model = CompressedModel.of(WEIGHTS); Arena arena = Arena.ofConfined()) {
            Session session = model.session();
            AtomicLong told = new AtomicLong();
            model.listener((images, nanoseconds, liveBytes) -> told.addAndGet(images));
            int most = 20;
            FloatBuffer floats = filled(direct(most * FEATURES + 3, ByteOrder.BIG_ENDIAN), images(most));
            FloatBuffer floatsOut = direct(most * CLASSES, ByteOrder.nativeOrder());
            ByteBuffer bytes = ByteBuffer.allocateDirect(most * FEATURES * Float.BYTES);
            ByteBuffer bytesOut = ByteBuffer.allocate(most * CLASSES * Float.BYTES);
            MemorySegment segment = arena.allocate((long) most * FEATURES * Float.BYTES);
            MemorySegment segmentOut = MemorySegment.ofArray(new float[most * CLASSES]);
            float[] array = images(most);
            float[] arrayOut = new float[most * CLASSES];
            Runnable all = () -> {
                for (int count = 1; count <= most; count += most - 1) {
                    session.predict(array, count, arrayOut);
                    session.predict(floats, count, floatsOut);
                    session.predict(bytes, count, bytesOut);
                    session.predict(segment, count, segmentOut);
                }
            };
            // Vectors are objects until the second compiler has seen the loops.
            for (int i = 0; i < 1_500; i++) {
                all.run();
            }
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 200; i++) {
                all.run();
            }
            long each = (threads.getCurrentThreadAllocatedBytes() - before) / 1_600;
            assertTrue(each < 10, each + " bytes for each call");
            assertEquals(1_700L * 4 * (1 + most), told.get());
        }
    }
}
