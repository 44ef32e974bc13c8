package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MemoryFitTest {
    @TempDir
    Path groups;

    @Test
    void aContainersLimitIsThatOfItsControlGroup() throws IOException {
        assertEquals(MemoryFit.UNLIMITED, MemoryFit.container(groups));
        Path second = groups.resolve("memory.max");
        Files.writeString(second, "max\n");
        assertEquals(MemoryFit.UNLIMITED, MemoryFit.container(groups));
        Path first = Files.createDirectories(groups.resolve("memory")).resolve("memory.limit_in_bytes");
        Files.writeString(first, "9223372036854771712\n");
        assertEquals(MemoryFit.UNLIMITED, MemoryFit.container(groups));
        Files.writeString(first, "268435456\n");
        assertEquals(MemoryFit.of(268_435_456), MemoryFit.container(groups));
        Files.writeString(second, "536870912\n");
        assertEquals(MemoryFit.of(536_870_912), MemoryFit.container(groups));
        Files.writeString(second, "0\n");
        Files.delete(first);
        assertEquals(MemoryFit.UNLIMITED, MemoryFit.container(groups));
    }
}
