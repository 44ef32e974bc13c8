package io.pare.mem;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.stream.Stream;
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
