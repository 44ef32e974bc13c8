package io.pare.natives;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafePathTest {
    private static final int NOBODY = 65534;

    @TempDir
    private Path top;

    private Path folder;
    private Path file;

    @BeforeEach
    void make() throws IOException {
        assumeTrue(top.getFileSystem().supportedFileAttributeViews().contains("unix"));
        top = top.toRealPath();
        folder = Files.createDirectory(top.resolve("folder"));
        file = Files.writeString(folder.resolve("lib.so"), "code");
        mode(folder, 0755);
        mode(file, 0644);
    }

    @Test
    void whatOnlyThisUserAndRootCanChangeIsSafe() {
        assertDoesNotThrow(() -> SafePath.require(file));
        assertDoesNotThrow(() -> SafePath.require(Path.of("/usr/bin")));
        assertDoesNotThrow(() -> SafePath.require(folder.resolve("../folder/./lib.so")));
        assertDoesNotThrow(() -> SafePath.require(folder.resolve("none/lib.so")));
    }

    @ParameterizedTest
    @CsvSource({"0775,0644", "0777,0644", "0757,0644", "0755,0664", "0755,0646", "01777,0666"})
    void whatOthersMayWriteIsRefusedWithTheRemedy(String folderMode, String fileMode) throws IOException {
        mode(folder, Integer.parseInt(folderMode, 8));
        mode(file, Integer.parseInt(fileMode, 8));
        boolean byFolder = folderMode.startsWith("07") && !folderMode.equals("0755");
        assertRefused(file, "other users may write " + (byFolder ? folder : file) + ": run chmod go-w on it");
    }

    @Test
    void inAFolderWithTheStickyBitOnesOwnFilesAreSafe() throws IOException {
        mode(folder, 01777);
        assertDoesNotThrow(() -> SafePath.require(file));
    }

    @Test
    void whatIsAnothersIsRefusedWhateverItsMode() throws IOException {
        chown(file);
        assertRefused(file, file + " belongs to user " + NOBODY);
        chown(folder);
        assertRefused(file, folder + " belongs to user " + NOBODY);
    }

    @Test
    void everyFolderAndLinkOnTheWayCounts() throws IOException {
        Path open = Files.createDirectory(top.resolve("open"));
        mode(open, 0777);
        Path through = Files.createSymbolicLink(open.resolve("link"), folder);
        assertRefused(through.resolve("lib.so"), "other users may write " + open);
        Path direct = Files.createSymbolicLink(top.resolve("direct"), Path.of("folder"));
        assertDoesNotThrow(() -> SafePath.require(direct.resolve("lib.so")));
        Path chained = Files.createSymbolicLink(top.resolve("chained"), through);
        assertRefused(chained.resolve("lib.so"), "other users may write " + open);
        Path round = Files.createSymbolicLink(top.resolve("round"), top.resolve("round"));
        assertRefused(round, "goes round in links");
    }

    @Test
    void anothersLinkIsRefusedInAFolderForAll() throws IOException {
        mode(folder, 01777);
        Path link = Files.createSymbolicLink(folder.resolve("link"), file);
        assertDoesNotThrow(() -> SafePath.require(link));
        chown(link);
        assertRefused(link, link + " belongs to user " + NOBODY);
    }

    private static void assertRefused(Path path, String words) {
        SafePath.Refused refused = assertThrows(SafePath.Refused.class, () -> SafePath.require(path));
        assertTrue(refused.getMessage().startsWith(words) || refused.getMessage().endsWith(words),
                refused.getMessage());
    }

    private static void mode(Path path, int mode) throws IOException {
        Files.setAttribute(path, "unix:mode", mode);
    }

    /** Only root can give files away. */
    private static void chown(Path path) {
        try {
            Files.setAttribute(path, "unix:uid", NOBODY, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            assumeTrue(false, "not root: " + e);
        }
    }
}
