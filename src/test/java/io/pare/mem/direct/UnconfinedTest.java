package io.pare.mem.direct;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class UnconfinedTest {
    @Test
    void confinedMemoryIsReadByAnotherThreadAndSharedMemoryStaysAsItIs() throws InterruptedException {
        try (Arena confined = Arena.ofConfined(); Arena shared = Arena.ofShared()) {
            MemorySegment own = confined.allocateFrom(ValueLayout.JAVA_INT, 7, 8);
            MemorySegment lent = Unconfined.of(own);
            assertEquals(own.byteSize(), lent.byteSize());
            int[] seen = new int[1];
            Thread.ofPlatform().start(() -> seen[0] = lent.getAtIndex(ValueLayout.JAVA_INT, 1)).join();
            assertEquals(8, seen[0]);
            MemorySegment common = shared.allocate(4);
            assertSame(common, Unconfined.of(common));
            assertTrue(Unconfined.of(own.asReadOnly()).isReadOnly());
        }
    }

    @Test
    void addressesAreCheckedBeforeTheyAreUsed() {
        Arena arena = Arena.ofConfined();
        MemorySegment segment = arena.allocate(16);
        assertEquals(segment.address() + 4, Unconfined.address(segment, 4, 12));
        assertThrows(IndexOutOfBoundsException.class, () -> Unconfined.address(segment, 4, 13));
        assertThrows(IndexOutOfBoundsException.class, () -> Unconfined.address(segment, -1, 4));
        assertThrows(UnsupportedOperationException.class, () -> Unconfined.writable(segment.asReadOnly(), 0, 4));
        assertThrows(IllegalArgumentException.class,
                () -> Unconfined.address(MemorySegment.ofArray(new float[4]), 0, 4));
        arena.close();
        assertThrows(IllegalStateException.class, () -> Unconfined.address(segment, 0, 4));
    }
}
