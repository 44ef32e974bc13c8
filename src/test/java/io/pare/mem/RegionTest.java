package io.pare.mem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegionTest {
    @Test
    void countsBytesAndFreesHandlesInReverseOrder() {
        long before = Region.liveBytes();
        List<Integer> order = new ArrayList<>();
        Region region = Region.confined("test");
        FloatTensor tensor = region.tensor(3, 5);
        region.own(() -> order.add(1));
        region.own(() -> order.add(2));
        assertEquals(60, region.bytes());
        assertEquals(before + 60, Region.liveBytes());
        assertEquals(0, tensor.segment().address() % Region.ALIGNMENT);
        region.close();
        region.close();
        assertEquals(List.of(2, 1), order);
        assertEquals(before, Region.liveBytes());
        assertThrows(IllegalStateException.class, () -> tensor.get(0));
        assertThrows(IllegalStateException.class, () -> region.allocate(1));
    }

    @Test
    void largeAllocationsOfOneSizeBeginAtDifferentPlacesOfAPage() {
        long bytes = 4L << 20;
        try (Region region = Region.shared("large")) {
            Set<Long> places = new HashSet<>();
            for (int i = 0; i < 4; i++) {
                MemorySegment segment = region.allocate(bytes);
                assertEquals(bytes, segment.byteSize());
                assertEquals(0, segment.address() % Region.ALIGNMENT);
                segment.set(ValueLayout.JAVA_BYTE, bytes - 1, (byte) 1);
                places.add(segment.address() % 4096);
            }
            assertEquals(4, places.size());
            assertEquals(4 * bytes, region.bytes());
        }
    }

    @Test
    void capNamesBothFigures() {
        try (Region region = Region.shared("small", 100)) {
            region.allocate(60);
            MemoryLimitException e = assertThrows(MemoryLimitException.class, () -> region.allocate(41));
            assertTrue(e.getMessage().contains("100 bytes") && e.getMessage().contains("41 more"), e.getMessage());
        }
    }

    @Test
    void memoryInAFileLeavesNoFileBehind(@TempDir Path folder) throws IOException {
        long before = Region.liveBytes();
        Path path = folder.resolve("state");
        try (Region region = Region.inFile("mapped", path)) {
            FloatTensor first = region.tensor(3, 5);
            FloatTensor second = region.tensor(700_001);
            for (FloatTensor tensor : List.of(first, second)) {
                assertEquals(0, tensor.segment().address() % Region.ALIGNMENT);
                for (long i = 0; i < tensor.count(); i++) {
                    assertEquals(0f, tensor.get(i));
                    tensor.set(i, i);
                }
            }
            assertEquals(14f, first.get(14));
            assertEquals(700_000f, second.get(700_000));
            assertEquals(before, Region.liveBytes());
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(0, files.count(), "its space is free again however the process ends");
            }
            UncheckedIOException e = assertThrows(UncheckedIOException.class, () -> region.allocate(1L << 52));
            assertTrue(e.getCause().getMessage().startsWith(path + ": the disk has no room for " + (1L << 52)),
                    e.getCause().getMessage());
            assertEquals(14f, first.get(14));
        }
        Files.createFile(path);
        assertThrows(UncheckedIOException.class, () -> Region.inFile("mapped", path));
        assertTrue(Files.exists(path), "somebody else's file stays");
    }

    @Test
    void aHandleThatFailsDoesNotKeepTheRest() {
        List<Integer> order = new ArrayList<>();
        Region region = Region.confined("failing");
        region.own(() -> order.add(1));
        region.own(() -> {
            throw new IllegalStateException("broken");
        });
        assertThrows(IllegalStateException.class, region::close);
        assertEquals(List.of(1), order);
    }

    @Test
    void aConfinedRegionThatAStrangerClosesStaysOpenForItsOwner() throws InterruptedException {
        int before = Region.liveRegions();
        Region region = Region.confined("mine");
        FloatTensor tensor = region.tensor(2);
        List<Throwable> refused = new ArrayList<>();
        Thread stranger = Thread.ofPlatform().start(() -> {
            try {
                region.close();
            } catch (WrongThreadException e) {
                refused.add(e);
            }
        });
        stranger.join();
        assertTrue(refused.getFirst().getMessage().startsWith("region 'mine' is confined to thread '"
                + Thread.currentThread().getName()), refused.toString());
        tensor.set(1, 3f);
        assertEquals(before + 1, Region.liveRegions());
        region.close();
        assertEquals(before, Region.liveRegions());
        assertThrows(IllegalStateException.class, () -> tensor.get(1));
    }

    @Test
    void aRegionThatIsHeldStaysOpenWithItsHandles() {
        List<Integer> order = new ArrayList<>();
        Region region = Region.shared("held");
        region.own(() -> order.add(1));
        MemorySegment memory = region.allocate(8);
        Region.Hold hold = Region.holdOf(memory.asSlice(4));
        assertSame(region.hold(), hold);
        try (var _ = hold.take(); var _ = region.hold().take()) {
            IllegalStateException e = assertThrows(IllegalStateException.class, region::close);
            assertTrue(e.getMessage().startsWith("region 'held' is in use"), e.getMessage());
            assertEquals(List.of(), order);
            memory.set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
        }
        region.close();
        assertEquals(List.of(1), order);
        assertNull(Region.holdOf(memory));
        IllegalStateException e = assertThrows(IllegalStateException.class, hold::take);
        assertEquals("region 'held' is closed", e.getMessage());
    }

    @Test
    void aHandleThatComesAfterTheCloseIsFreedAtOnce() {
        List<Integer> order = new ArrayList<>();
        Region region = Region.shared("late");
        region.close();
        assertThrows(IllegalStateException.class, () -> region.own(() -> order.add(1)));
        assertEquals(List.of(1), order);
    }

    @Test
    void outOfMemoryNamesTheRegionAndWhatIsHeld() {
        try (Region region = Region.shared("large network")) {
            region.allocate(100);
            for (long bytes : new long[]{1L << 50, Long.MAX_VALUE - 200}) {
                OutOfMemoryError e = assertThrows(OutOfMemoryError.class, () -> region.allocate(bytes));
                assertTrue(e.getMessage().startsWith("region 'large network' cannot get " + bytes
                        + " bytes more: it holds 100, all regions together " + Region.liveBytes()), e.getMessage());
            }
            assertEquals(100, region.bytes());
        }
    }

    @Test
    @Tag("process")
    void whatIsNotClosedIsReportedWithThePlaceOfItsOpening(@TempDir Path folder)
            throws IOException, InterruptedException {
        String printed = ForkedJvm.run(folder, List.of("-Dpare.debug.leaks=true"), Leaking.class);
        assertTrue(printed.contains("described: leaked: 4000 bytes, 1 handles\n    opened by thread 'main'\n        at "
                + Leaking.class.getName() + ".open("), printed);
        assertTrue(
                printed.contains("a region was never closed, nor can be now, and keeps its memory: leaked: 4000 bytes")
                        && printed.split(Pattern.quote(Leaking.class.getName() + ".open("), -1).length == 3,
                printed);
        assertFalse(printed.contains("closed properly"), printed);
    }

    /** Opens a region that nobody closes. */
    static final class Leaking {
        private static final Logger LOG = Logger.getLogger("io.pare.mem");

        public static void main(String[] arguments) throws InterruptedException {
            CountDownLatch reported = new CountDownLatch(1);
            LOG.setUseParentHandlers(false);
            LOG.addHandler(new Handler() {
                @Override
                public void publish(LogRecord message) {
                    System.out.println(new SimpleFormatter().format(message));
                    reported.countDown();
                }

                @Override
                public void flush() {}

                @Override
                public void close() {}
            });
            open("closed properly").close();
            open("leaked");
            System.out.println("described: " + Region.describeLive());
            do {
                System.gc();
            } while (!reported.await(10, TimeUnit.MILLISECONDS));
        }

        private static Region open(String name) {
            Region region = Region.shared(name);
            region.tensor(1000);
            region.own(() -> {
            });
            return region;
        }
    }

    @Test
    void shapesAreChecked() {
        try (Region region = Region.confined("shapes")) {
            assertThrows(IllegalArgumentException.class, () -> region.tensor(-1, 3));
            assertThrows(ArithmeticException.class, () -> region.tensor(1L << 40, 1L << 40));
            FloatTensor tensor = region.tensor(4, 3);
            assertEquals("f32[2, 3]", tensor.rows(1, 3).toString());
            assertThrows(IllegalArgumentException.class, () -> tensor.copyFrom(new float[5]));
        }
    }
}
