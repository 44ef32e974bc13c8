package io.pare.mem;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

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
    void capNamesBothFigures() {
        try (Region region = Region.shared("small", 100)) {
            region.allocate(60);
            MemoryLimitException e = assertThrows(MemoryLimitException.class, () -> region.allocate(41));
            assertTrue(e.getMessage().contains("100 bytes") && e.getMessage().contains("41 more"), e.getMessage());
        }
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
