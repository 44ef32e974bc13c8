package io.pare.natives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LibraryStoreTest {
    @TempDir
    private Path cache;

    private final byte[] content = new byte[3_000_001];
    private LibraryFile file;

    @BeforeEach
    void makeLibrary() throws Exception {
        new Random(7).nextBytes(content);
        String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        file = new LibraryFile(LibraryFile.ONEDNN, "some/carrier/libx.so.3", content.length, digest);
    }

    private LibraryStore store(byte[] carried) {
        return new LibraryStore(cache, "linux-test", List.of(file),
                name -> carried != null && name.equals(file.resource()) ? new ByteArrayInputStream(carried) : null);
    }

    @Test
    void extractsUnderTheNameThatTheLinkerLooksFor() throws IOException {
        LibraryStore store = store(content);
        assertFalse(store.holds(file));
        Path path = store.extract(file);
        assertEquals("libx.so.3", path.getFileName().toString());
        assertArrayEquals(content, Files.readAllBytes(path));
        assertTrue(store.holds(file));
        assertEquals(List.of(path), files());
    }

    @Test
    void onlyTheOwnerMayEnterTheFolder() throws IOException {
        LibraryStore store = store(content);
        Files.createDirectories(store.folder());
        Files.setPosixFilePermissions(store.folder(), PosixFilePermissions.fromString("rwxrwxrwx"));
        store.extract(file);
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(store.folder())));
    }

    @Test
    void aFolderThatAnUmaskLeftOpenIsClosedBeforeItsFilesAreTrusted() throws IOException {
        LibraryStore store = store(content);
        store.extract(file);
        for (Path own : List.of(store.folder().getParent(), store.folder())) {
            Files.setPosixFilePermissions(own, PosixFilePermissions.fromString("rwxrwxr-x"));
        }
        assertTrue(store.holds(file));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(store.folder())));
    }

    @Test
    void aFileThatOthersMayHaveOpenForWritingIsReplaced() throws IOException {
        LibraryStore store = store(content);
        Path path = store.extract(file);
        Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw-rw-"));
        assertFalse(store.holds(file));
        store.extract(file);
        assertTrue(store.holds(file));
        Path elsewhere = Files.copy(path, cache.resolve("elsewhere"));
        Files.delete(path);
        Files.createSymbolicLink(path, elsewhere);
        assertFalse(store.holds(file));
    }

    @Test
    void aCacheThatOthersMayWriteIsRefusedBeforeAnythingIsPutThere() throws IOException {
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
        LibraryStore store = store(content);
        SafePath.Refused refused = assertThrows(SafePath.Refused.class, () -> store.extract(file));
        assertTrue(refused.getMessage().contains("run chmod go-w"), refused.getMessage());
        assertFalse(Files.exists(cache.resolve("native")));
        Files.createDirectories(store.folder());
        Files.write(store.folder().resolve(file.fileName()), content);
        assertThrows(SafePath.Refused.class, () -> store.holds(file));
    }

    @Test
    void anotherSetOfLibrariesGetsAnotherFolder() {
        LibraryFile other = new LibraryFile(file.role(), file.resource(), file.bytes(), "0".repeat(64));
        assertNotEquals(store(content).folder(),
                new LibraryStore(cache, "linux-test", List.of(other), name -> null).folder());
    }

    @Test
    void noticesEachKindOfDamageAndRepairsIt() throws IOException {
        LibraryStore store = store(content);
        Path path = store.extract(file);
        byte[] flipped = content.clone();
        flipped[content.length / 2] ^= 1;
        for (byte[] damaged : List.of(flipped, new byte[0], new byte[content.length - 1])) {
            Files.write(path, damaged);
            assertFalse(store.holds(file));
            store.extract(file);
            assertTrue(store.holds(file));
        }
    }

    @Test
    void saysWhichCarrierIsMissing() {
        IOException e = assertThrows(IOException.class, () -> store(null).extract(file));
        assertTrue(e.getMessage().contains(
                "no some/carrier/libx.so.3 on the class path: add io.pare:pare-engine with the classifier natives-"),
                e.getMessage());
        assertTrue(e.getMessage().contains("-Dpare.native.path"), e.getMessage());
    }

    @Test
    void refusesACarrierOfAnotherVersionAndLeavesNothingBehind() throws IOException {
        LibraryStore store = store(new byte[]{1, 2, 3});
        IOException e = assertThrows(IOException.class, () -> store.extract(file));
        assertTrue(e.getMessage().contains(file.sha256()), e.getMessage());
        assertEquals(List.of(), files());
    }

    @Test
    void leavesNothingBehindWhenTheCarrierBreaksOff() throws IOException {
        LibraryStore store = new LibraryStore(cache, "linux-test", List.of(file),
                name -> new ByteArrayInputStream(content) {
                    @Override
                    public synchronized int read(byte[] into, int off, int len) {
                        if (pos > 1_000_000) {
                            throw new IllegalStateException("broken jar");
                        }
                        return super.read(into, off, len);
                    }
                });
        assertThrows(IllegalStateException.class, () -> store.extract(file));
        assertEquals(List.of(), files());
    }

    @Test
    void failsWhereTheCacheCannotBeAFolder() throws IOException {
        Files.write(cache.resolve("native"), new byte[1]);
        assertThrows(IOException.class, () -> store(content).extract(file));
    }

    @Test
    void manyMayExtractAtTheSameTime() throws Exception {
        int users = 8;
        CountDownLatch together = new CountDownLatch(users);
        List<Future<Boolean>> results = new ArrayList<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(users)) {
            Callable<Boolean> user = () -> {
                LibraryStore store = store(content);
                together.countDown();
                together.await();
                store.extract(file);
                return store.holds(file);
            };
            for (int i = 0; i < users; i++) {
                results.add(pool.submit(user));
            }
            for (Future<Boolean> result : results) {
                assertTrue(result.get());
            }
        }
        assertEquals(1, files().size(), files().toString());
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(cache)) {
            return all.filter(Files::isRegularFile).toList();
        }
    }
}
