package io.pare.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    @TempDir
    Path folder;

    @Test
    void replacesAFileAndCreatesItsFolders() throws IOException {
        Path target = folder.resolve("a/b/report.json");
        AtomicFile.write(target, "one");
        AtomicFile.write(target, "zwei");
        assertEquals("zwei", Files.readString(target));
        assertEquals(List.of("report.json"), names(target.getParent()));
    }

    @Test
    void aWriterThatFailsHalfwayLeavesTheOldContentAndNoLitter() throws IOException {
        Path target = folder.resolve("weights");
        AtomicFile.write(target, "good");
        FileException e = assertThrows(FileException.class, () -> AtomicFile.write(target, channel -> {
            channel.write(ByteBuffer.allocate(100));
            throw new IOException("No space left on device");
        }));
        assertEquals("good", Files.readString(target));
        assertEquals(List.of("weights"), names(folder));
        assertTrue(e.getMessage().contains("disk is full") && e.getMessage().contains("bytes left"), e.getMessage());
    }

    /** As writers in two containers may have equal numbers of process and thread. */
    @Test
    void twoWritersOfOneNumberLeaveEachOtherAlone() throws IOException {
        Path target = folder.resolve("weights");
        AtomicFile.write(target, channel -> {
            channel.write(ByteBuffer.wrap(new byte[]{1, 2}));
            AtomicFile.write(target, new byte[]{9});
            channel.write(ByteBuffer.wrap(new byte[]{3}));
        });
        assertArrayEquals(new byte[]{1, 2, 3}, Files.readAllBytes(target));
        assertEquals(List.of("weights"), names(folder));
    }

    @Test
    void aFullDiskIsNamed() {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full));
        FileException e = assertThrows(FileException.class, () -> AtomicFile.write(full, new byte[10]));
        assertTrue(e.getMessage().startsWith("cannot write /dev/full: the disk is full"), e.getMessage());
    }

    @Test
    void aFileWhereAFolderIsNeededIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "x");
        FileException e = assertThrows(FileException.class, () -> AtomicFile.write(file.resolve("report"), "text"));
        assertTrue(e.getMessage().contains("a folder is needed"), e.getMessage());
        assertEquals("x", Files.readString(file));
    }

    @Test
    void aFolderWhereAFileIsNeededIsNamed() {
        FileException e = assertThrows(FileException.class, () -> AtomicFile.write(folder, "text"));
        assertTrue(e.getMessage().contains("is a folder"), e.getMessage());
    }

    @Test
    void anUnwritablePlaceIsNamed() {
        Path proc = Path.of("/proc/self");
        assumeTrue(Files.isDirectory(proc));
        FileException e = assertThrows(FileException.class, () -> AtomicFile.write(proc.resolve("report"), "text"));
        assertTrue(e.getMessage().startsWith("cannot write /proc/self/report: "), e.getMessage());
        assertTrue(e.getMessage().endsWith("; write elsewhere"), e.getMessage());
    }

    @Test
    void aLinkStaysALink() throws IOException {
        Path real = Files.writeString(folder.resolve("real"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), real);
        AtomicFile.write(link, "new");
        assertTrue(Files.isSymbolicLink(link));
        assertEquals("new", Files.readString(real));
    }

    @Test
    void whatKilledWritersLeftIsSweptButNotWhatMayBeInUse() throws IOException {
        Path stale = Files.writeString(folder.resolve(".report.123-1.tmp"), "half");
        Path fresh = Files.writeString(folder.resolve(".report.124-1.tmp"), "half");
        Path other = Files.writeString(folder.resolve(".other.123-1.tmp"), "half");
        FileTime old = FileTime.fromMillis(System.currentTimeMillis() - 7_200_000);
        Files.setLastModifiedTime(stale, old);
        Files.setLastModifiedTime(other, old);
        AtomicFile.write(folder.resolve("report"), "text");
        assertTrue(Files.notExists(stale) && Files.exists(fresh) && Files.exists(other));
    }

    private static List<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
