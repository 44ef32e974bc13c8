package io.pare.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.kernel.passes.Passes;
import io.pare.kernel.passes.SelectPasses;
import io.pare.mem.ForkedJvm;
import io.pare.mem.Region;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Calls that must be refused before anything is done: of ranges that are none, from two threads, after close. */
class MisuseTest {
    /** A call with a range of so many elements from there on; all else is in order. */
    private interface Ranged {
        void call(long offset, long n);
    }

    private static final int N = 64;

    private Arena arena;
    private MemorySegment x;
    private MemorySegment y;
    private MemorySegment z;
    private MemorySegment words;
    private MemorySegment octets;
    /** Ints that are all 0. */
    private MemorySegment labels;

    @BeforeEach
    void allocate() {
        arena = Arena.ofShared();
        x = floats();
        y = floats();
        z = floats();
        words = floats();
        octets = floats();
        labels = arena.allocate(N * 4, 64);
    }

    @AfterEach
    void free() {
        arena.close();
    }

    private MemorySegment floats() {
        MemorySegment segment = arena.allocate(N * 4, 64);
        for (int i = 0; i < N; i++) {
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, i + 1);
        }
        return segment;
    }

    private Map<String, Ranged> kernels() {
        Kernels k = Kernels.active();
        Map<String, Ranged> calls = new TreeMap<>();
        calls.put("axpy", (o, n) -> k.axpy(2, x, o, y, 0, n));
        calls.put("scale", (o, n) -> k.scale(2, x, o, n));
        calls.put("add", (o, n) -> k.add(x, 0, y, o, z, 0, n));
        calls.put("subtract", (o, n) -> k.subtract(x, 0, y, 0, z, o, n));
        calls.put("multiply", (o, n) -> k.multiply(x, o, y, 0, z, 0, n));
        calls.put("addScaled", (o, n) -> k.addScaled(x, 0, 2, y, o, z, 0, n));
        calls.put("fill", (o, n) -> k.fill(2, x, o, n));
        calls.put("dot", (o, n) -> k.dot(x, 0, y, o, n));
        calls.put("sumOfSquares", (o, n) -> k.sumOfSquares(x, o, n));
        calls.put("reluForward", (o, n) -> k.reluForward(x, 0, y, o, n));
        calls.put("reluBackward", (o, n) -> k.reluBackward(x, 0, y, 0, z, o, n));
        calls.put("biasAddRows", (o, n) -> k.biasAddRows(x, o, y, 0, 1, n));
        calls.put("columnSums", (o, n) -> k.columnSums(x, o, n, 1, z, 0));
        calls.put("dropout", (o, n) -> k.dropout(x, 0, y, o, n, 0.5f, 1, 1));
        calls.put("softmaxCrossEntropy", (o, n) -> k.softmaxCrossEntropy(x, 0, labels, o, n, 1, 1, null, 0));
        calls.put("countCorrect", (o, n) -> k.countCorrect(x, o, labels, 0, n, 1, 1));
        calls.put("sgd", (o, n) -> k.sgd(new Sgd(0.9f, 0, false), 1, x, 0, y, 0, z, o, n, null, null));
        calls.put("adam", (o, n) -> k.adam(Adam.STANDARD, 1, 1, x, 0, y, 0, z, 0, words, 0, n,
                new Penalty(y, 0, y, o, 1), null));
        calls.put("applyMask", (o, n) -> k.applyMask(new Bits(octets, 0), x, o, n));
        assertCovers(Kernels.class, calls.keySet(), "active", "name");
        return calls;
    }

    private Map<String, Ranged> projections(Projections p) {
        Map<String, Ranged> calls = new TreeMap<>();
        calls.put("topK", (o, n) -> p.topK(x, 0, z, o, n, 1));
        calls.put("threshold", (o, n) -> p.threshold(x, o, n, 1));
        calls.put("topKBits", (o, n) -> p.topKBits(x, o, n, 1, octets, 0));
        calls.put("topKAdmm", (o, n) -> p.topKAdmm(x, 0, y, o, z, 0, n, 1));
        calls.put("globalBudget", (o, n) -> p.globalBudget(List.of(Span.of(x, o, n), Span.of(y, 0, N)), 1));
        calls.put("groupScores", (o, n) -> p.groupScores(x, o, Groups.filters(n, 1), Norm.L1, z, 0));
        calls.put("topGroups", (o, n) -> p.topGroups(x, 0, z, o, Groups.filters(1, n), Norm.L2, 1));
        calls.put("keepOfGroups", (o, n) -> p.keepOfGroups(x, o, z, 0, n, 1, 2));
        calls.put("kMeansExact", (o, n) -> p.kMeansExact(x, 0, n, y, o, 4, words, 0));
        calls.put("kMeans", (o, n) -> p.kMeans(x, o, n, null, 0, 4, words, 0, 10));
        calls.put("kMeansCold", (o, n) -> p.kMeansCold(x, o, n, null, 0, 4, words, 0, 10));
        calls.put("linearStart", (o, n) -> p.linearStart(x, o, n, 4, words, 0));
        calls.put("assign", (o, n) -> p.assign(x, 0, n, 4, words, 0, z, o, octets, 0));
        calls.put("optimalScale", (o, n) -> p.optimalScale(x, 0, n, y, o, LevelSet.ternary()));
        calls.put("scannedScale", (o, n) -> p.scannedScale(x, o, n, LevelSet.ternary(), false));
        calls.put("joint", (o, n) -> p.joint(x, 0, n, 1, 1, false, words, 0, 10, z, o, octets, 0));
        assertCovers(Projections.class, calls.keySet(), "open", "close", "levels", "scaleError");
        return calls;
    }

    private static void assertCovers(Class<?> type, Set<String> called, String... others) {
        Set<String> methods = Arrays.stream(type.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers())).map(Method::getName)
                .collect(Collectors.toCollection(TreeSet::new));
        methods.removeAll(List.of(others));
        assertEquals(methods, new TreeSet<>(called));
    }

    private float[][] memory() {
        return Stream.of(x, y, z, words, octets).map(segment -> segment.toArray(ValueLayout.JAVA_FLOAT))
                .toArray(float[][]::new);
    }

    private void assertRefusals(Map<String, Ranged> calls) {
        float[][] before = memory();
        calls.forEach((name, ranged) -> {
            for (long n : new long[]{-1, Long.MIN_VALUE, Long.MAX_VALUE, N + 1, (1L << 62) + 16, (1L << 62) + 1,
                1L << 62, -(1L << 62)}) {
                assertRefused(IndexOutOfBoundsException.class, name, () -> ranged.call(0, n));
            }
            for (long offset : new long[]{-4, 4, Long.MIN_VALUE, Long.MAX_VALUE - 3}) {
                assertRefused(IndexOutOfBoundsException.class, name, () -> ranged.call(offset, N));
            }
            assertRefused(IllegalArgumentException.class, name, () -> ranged.call(2, N / 2));
        });
        assertArrayEquals(before, memory());
        // The tables are right: all of them work.
        calls.forEach((_, ranged) -> ranged.call(0, 1));
    }

    private static void assertRefused(Class<? extends RuntimeException> refusal, String name, Runnable call) {
        RuntimeException thrown = assertThrows(refusal, call::run, name);
        assertTrue(thrown.getMessage().matches("[^\n]{20,}"), name + ": " + thrown.getMessage());
    }

    @Test
    void kernelsRefuseRangesThatAreNone() {
        assertRefusals(kernels());
    }

    @Test
    void projectionsRefuseRangesThatAreNone() {
        try (Projections p = Projections.open(1)) {
            assertRefusals(projections(p));
        }
    }

    @Test
    void sizesThatAreNoneAreRefused() {
        assertRefused(IndexOutOfBoundsException.class, "Span", () -> Span.of(x, 0, -(1L << 62)));
        assertRefused(IllegalArgumentException.class, "Span", () -> new Span(x, 0, y, 6, 8, 1));
        assertRefused(IndexOutOfBoundsException.class, "Groups", () -> Groups.filters(1L << 32, 1L << 32));
        assertRefused(IndexOutOfBoundsException.class, "Groups", () -> Groups.channels(1, 1L << 40, 1L << 40));
        assertRefused(IllegalArgumentException.class, "Groups", () -> new Groups(4, 4, 0, 1));
        assertEquals(1, new Groups(4, 4, Long.MAX_VALUE, Long.MAX_VALUE).count());
        assertRefused(IllegalArgumentException.class, "LevelSet", () -> LevelSet.equidistant(-1));
        assertRefused(IllegalArgumentException.class, "LevelSet", () -> LevelSet.powersOfTwo(Integer.MAX_VALUE));
        assertThrows(IndexOutOfBoundsException.class, () -> LevelSet.binary().level(2, 1));
        assertRefused(IndexOutOfBoundsException.class, "levels",
                () -> Projections.levels(LevelSet.equidistant(8), 1, words, N * 4 - 60));
        assertEquals(N, words.getAtIndex(ValueLayout.JAVA_FLOAT, N - 1));
        try (Projections p = Projections.open(1)) {
            assertRefused(IllegalArgumentException.class, "kMeans",
                    () -> p.kMeans(x, 0, N, null, 0, 4, words, 0, -1));
            assertRefused(IllegalArgumentException.class, "joint",
                    () -> p.joint(x, 0, N, 8, 4, false, words, 0, 0, z, 0, null, 0));
        }
        assertRefused(IllegalArgumentException.class, "countCorrect",
                () -> Kernels.active().countCorrect(x, 0, words, 0, 4, 4, 0));
        assertRefused(IllegalArgumentException.class, "sgd", () -> new Sgd(1, 0, false));
        assertRefused(IllegalArgumentException.class, "adam", () -> new Adam(0.9f, 0.999f, 0, 0, false));
        assertRefused(IllegalArgumentException.class, "penalty", () -> new Penalty(x, 0, y, 0, Float.NaN));
    }

    @Test
    void memoryThatCannotBeUsedIsRefused() {
        MemorySegment heap = MemorySegment.ofArray(new float[N]);
        MemorySegment closed;
        try (Arena other = Arena.ofShared()) {
            closed = other.allocate(N * 4, 64);
        }
        Kernels k = Kernels.active();
        try (Projections p = Projections.open(1)) {
            assertRefused(IllegalArgumentException.class, "heap", () -> k.scale(2, heap, 0, N));
            assertRefused(IllegalArgumentException.class, "heap", () -> p.topK(x, 0, heap, 0, N, 1));
            assertRefused(IllegalStateException.class, "closed", () -> k.add(x, 0, closed, 0, y, 0, N));
            assertRefused(IllegalStateException.class, "closed", () -> p.kMeans(closed, 0, N, null, 0, 4, words, 0, 9));
            assertRefused(UnsupportedOperationException.class, "read-only", () -> k.scale(2, x.asReadOnly(), 0, N));
            assertRefused(UnsupportedOperationException.class, "read-only",
                    () -> p.topKAdmm(x, 0, y.asReadOnly(), 0, z, 0, N, 1));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void afterCloseEveryCallIsRefusedWithTheSameMessage(int threads) {
        Projections p = Projections.open(threads);
        p.close();
        p.close();
        Map<String, Ranged> calls = projections(p);
        calls.put("scaleError", (_, _) -> p.scaleError());
        calls.forEach((name, ranged) -> assertTimeoutPreemptively(Duration.ofSeconds(20),
                () -> assertEquals("this Projections instance is closed",
                        assertThrows(IllegalStateException.class, () -> ranged.call(0, N), name).getMessage())));
    }

    /** The passes of this JVM; the first call of one that selects waits. */
    private static Passes waiting(CountDownLatch entered, CountDownLatch goOn) {
        Passes passes = KernelProvider.loops();
        SelectPasses select = (SelectPasses) Proxy.newProxyInstance(SelectPasses.class.getClassLoader(),
                new Class<?>[]{SelectPasses.class}, (_, method, arguments) -> {
                    entered.countDown();
                    goOn.await();
                    try {
                        return method.invoke(passes.select(), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return new Passes(select, passes.topK(), passes.groups(), passes.codebooks());
    }

    @Test
    @SuppressWarnings("try")
    void aSecondThreadIsRefusedWhileTheFirstComputes() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        try (Projections p = new Projections(waiting(entered, goOn), 1);
                ExecutorService other = Executors.newSingleThreadExecutor()) {
            Future<Threshold> first = other.submit(() -> p.threshold(x, 0, N, 8));
            entered.await();
            try {
                Map<String, Ranged> calls = projections(p);
                calls.put("scaleError", (_, _) -> p.scaleError());
                calls.put("close", (_, _) -> p.close());
                calls.forEach((name, ranged) -> {
                    String message =
                            assertThrows(IllegalStateException.class, () -> ranged.call(0, N), name).getMessage();
                    assertTrue(message.contains("is used by two threads"), message);
                });
                String message = assertThrows(IllegalStateException.class, arena::close).getMessage();
                assertTrue(message.contains("acquired"), message);
            } finally {
                goOn.countDown();
            }
            assertEquals(new Threshold(N - 7, 7, 1), first.get());
            assertEquals(new Threshold(N, 0, 1), p.threshold(x, 0, N, 1));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void twoThreadsAreServedRightOrRefused(int threads) throws Exception {
        twoThreads(threads, 600);
    }

    /** {@code mvn test -Dtest=MisuseTest -Dtest.excluded= -Dgroups=long}. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    @Tag("long")
    void twoThreadsAreServedRightOrRefusedManyTimes(int threads) throws Exception {
        twoThreads(threads, 10_000);
    }

    private static void twoThreads(int threads, int calls) throws Exception {
        int n = 20_000;
        MemorySegment[] inputs = {Memory.floats(Memory.gaussian(n, 1)), Memory.floats(Memory.gaussian(n, 2))};
        int[][] right = new int[2][];
        try (Projections p = Projections.open(threads);
                ExecutorService both = Executors.newFixedThreadPool(2)) {
            for (int i = 0; i < 2; i++) {
                right[i] = topK(p, inputs[i], n);
            }
            Future<?>[] done = new Future<?>[2];
            for (int i = 0; i < 2; i++) {
                int me = i;
                done[i] = both.submit((Callable<Void>) () -> {
                    for (int call = 0; call < calls / 2; call++) {
                        try {
                            assertArrayEquals(right[me], topK(p, inputs[me], n), () -> "thread " + me);
                        } catch (IllegalStateException refused) {
                            assertTrue(refused.getMessage().contains("is used by two threads"), refused.getMessage());
                        }
                    }
                    return null;
                });
            }
            for (Future<?> one : done) {
                one.get();
            }
            assertArrayEquals(right[0], topK(p, inputs[0], n));
        }
    }

    private static int[] topK(Projections p, MemorySegment input, int n) {
        MemorySegment output = Memory.zeros(n);
        p.topK(input, 0, output, 0, n, n / 10);
        return Memory.rawBits(Memory.array(output, 0, n));
    }

    @Test
    void instancesThatAreDroppedEndTheirThreadsAndFreeTheirMemory() {
        Dropping.main();
    }

    @Test
    @Tag("process")
    void instancesThatAreDroppedAreReportedWhereLeaksAreLookedFor(@TempDir Path folder) throws Exception {
        String report = ForkedJvm.run(folder, List.of("-Dpare.debug.leaks=true"), Dropping.class);
        assertTrue(report.contains("a Projections instance was never closed"), report);
        assertTrue(report.contains("opened by thread 'main'"), report);
        assertTrue(report.contains("MisuseTest$Dropping.main"), report);
    }

    /** Drops instances and waits until they are gone. */
    static final class Dropping {
        private Dropping() {}

        public static void main(String... args) {
            int regions = Region.liveRegions();
            long threads = kernelThreads();
            // So many that both threads work; by passes that need no compilation to be fast.
            int n = 2 * Passes.CHUNK;
            MemorySegment x = Memory.zeros(n);
            for (int i = 0; i < 4; i++) {
                Projections dropped = new Projections(KernelProvider.scalarPasses(), 2);
                dropped.assign(x, 0, n, 0, x, 0, x, 0, null, 0);
                dropped.kMeans(x, 0, n, null, 0, 4, Memory.zeros(4), 0, 5);
                dropped.topK(x, 0, Memory.zeros(n), 0, n, 5);
            }
            assertTrue(Region.liveRegions() > regions);
            long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (Region.liveRegions() > regions || kernelThreads() > threads) {
                assertFalse(System.nanoTime() > end, Region.describeLive());
                System.gc();
            }
        }

        private static long kernelThreads() {
            return Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().startsWith("pare-kernel-")).count();
        }
    }
}
