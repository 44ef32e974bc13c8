package io.pare.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {
    @TempDir
    Path folder;

    @Test
    void oneRunHasAFolderAtATime() throws IOException {
        Path runs = folder.resolve("runs/one");
        Path link = Files.createSymbolicLink(folder.resolve("link"), runs);
        try (FolderLock _ = FolderLock.take(runs)) {
            for (Path name : new Path[]{runs, runs.resolve("../one"), link}) {
                FileException e = assertThrows(FileException.class, () -> FolderLock.take(name));
                assertEquals(name + " is in use by another run (process " + ProcessHandle.current().pid()
                        + ", this one): wait until that has ended, or choose another folder", e.getMessage());
            }
            // A refused run must not have ended the lock that other processes see.
            try (FileChannel channel = FileChannel.open(runs.resolve(".lock"), StandardOpenOption.WRITE)) {
                assertThrows(OverlappingFileLockException.class, channel::tryLock);
            }
            FolderLock.take(runs.resolve("inner")).close();
        }
        FolderLock.take(link).close();
    }

    @Test
    void aFolderIsAbandonedOnceItsHolderIsGone() throws IOException {
        assertNull(FolderLock.takeAbandoned(folder), "nobody ever locked it");
        assertTrue(Files.notExists(folder.resolve(".lock")));
        try (FolderLock _ = FolderLock.take(folder)) {
            assertNull(FolderLock.takeAbandoned(folder), "somebody has it");
        }
        try (FolderLock found = FolderLock.takeAbandoned(folder)) {
            assertNotNull(found);
        }
    }

    @Test
    void whatDeadWritersLeftIsCleared() throws Exception {
        Process dead = new ProcessBuilder("true").start();
        assertTrue(dead.waitFor(60, TimeUnit.SECONDS));
        long self = ProcessHandle.current().pid();
        Path left = Files.writeString(folder.resolve(".weights.safetensors." + dead.pid() + "-1.tmp"), "half");
        Path before = Files.writeString(folder.resolve(".run.json." + self + "-1.tmp"), "half");
        Files.setLastModifiedTime(before, FileTime.fromMillis(0));
        Path mine = Files.writeString(folder.resolve(".run.json." + self + "-2.tmp"), "half");
        Path other = Files.writeString(folder.resolve(".notes.tmp"), "not of a writer of this kind");
        FolderLock.take(folder).close();
        assertTrue(Files.notExists(left), "its writer is dead");
        assertTrue(Files.notExists(before), "it is older than the process that has its number now");
        assertTrue(Files.exists(mine), "its writer lives");
        assertTrue(Files.exists(other), "nobody knows whose it is");
    }

    @Test
    void aFolderThatCannotBeIsNamed() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "x");
        assertTrue(assertThrows(FileException.class, () -> FolderLock.take(file)).getMessage()
                .contains("a folder is needed"));
    }
}
