package io.pare.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The loader as a user meets it, each time in a new process. */
@Tag("process")
class NativesTest {
    @TempDir
    private Path cache;
    @TempDir
    private Path other;

    @Test
    void loadsFromTheJarOnceAndThenFromTheCache() throws Exception {
        String first = probe(true);
        assertTrue(first.contains("available=true"), first);
        assertTrue(first.contains("onednn=JAR " + cache), first);
        assertTrue(first.contains("openblas=JAR " + cache), first);
        assertTrue(first.contains("onednn-version=3.13.0"), first);
        assertTrue(first.contains("openblas-threads=1"), first);
        String second = probe(true);
        assertTrue(second.contains("onednn=CACHE " + cache), second);
        assertFalse(second.contains("note="), second);
    }

    @Test
    void theEnvironmentIsWrittenUnlessThatIsSwitchedOff() throws Exception {
        String written = probe(true);
        assertTrue(
                written.contains("OMP_NUM_THREADS=1\nOPENBLAS_NUM_THREADS=1\nGOMP_SPINCOUNT=1000\nKMP_BLOCKTIME=1\n"),
                written);
        String off = probe(true, "-Dpare.env=off");
        assertTrue(off.contains("OMP_NUM_THREADS=\nOPENBLAS_NUM_THREADS=\nGOMP_SPINCOUNT=\nKMP_BLOCKTIME=\n"), off);
        assertTrue(off.contains("available=true") && off.contains("openblas-threads=1"), off);
        assertTrue(probe(true, "-Dpare.env=no").contains("-Dpare.env=no: use on or off"));
    }

    @Test
    void replacesADamagedFileAndSaysSo() throws Exception {
        probe(true);
        Path library = find("libopenblas");
        byte[] bytes = Files.readAllBytes(library);
        bytes[bytes.length / 3] ^= 0x40;
        Files.write(library, bytes);
        String text = probe(true);
        assertTrue(text.contains("available=true"), text);
        assertTrue(text.contains("note=" + library + ": damaged, replaced from the carrier jar"), text);
        assertTrue(text.contains("openblas=JAR"), text);
        assertTrue(text.contains("onednn=CACHE"), text);
    }

    @Test
    void takesTheFolderThatTheUserNamesFirst() throws Exception {
        probe(true);
        Path folder = find("libopenblas").getParent();
        String text = probe(true, "-Dpare.native.path=" + folder);
        assertTrue(text.contains("onednn=PATH " + folder), text);
    }

    @Test
    void mixesNoPartsOfTheCarrierIntoTheUsersLibrary() throws Exception {
        probe(true);
        Path carried = find("libdnnl").getParent();
        Path own = Files.createDirectory(cache.resolve("own"));
        // A development package's name, and no libgomp beside it: the linker takes the system's.
        Files.copy(find("libdnnl"), own.resolve("libdnnl.so"));
        Files.copy(carried.resolve("libgomp.so.1"), cache.resolve("libgomp.so.1"));
        List<String> command = command(true);
        command.add(1, "-Dpare.native.path=" + own);
        String text = run(command, "LD_LIBRARY_PATH", cache.toString());
        assertTrue(text.contains("onednn=PATH " + own.resolve("libdnnl.so")), text);
        assertFalse(text.contains("openmp="), text);
        assertTrue(text.contains("openblas=CACHE"), text);
        assertTrue(text.contains("onednn-version=3.13.0"), text);
    }

    @Test
    void fallsBackFromAFolderThatHoldsNothingAndKeepsTheReason() throws Exception {
        Path empty = Files.createDirectory(cache.resolve("empty"));
        Path broken = Files.createDirectory(cache.resolve("broken"));
        Files.write(broken.resolve("libopenblas.so.0"), new byte[]{1, 2, 3});
        String text = probe(true, "-Dpare.native.path=" + empty + File.pathSeparator + broken);
        assertTrue(text.contains("available=true"), text);
        assertTrue(text.contains("note=" + empty + ": no libdnnl"), text);
        assertTrue(text.contains("note=" + broken.resolve("libopenblas.so.0") + ": "), text);
        assertTrue(text.contains("openblas=JAR"), text);
    }

    @Test
    void withoutCarriersAutoComputesInJavaAndSaysWhy() throws Exception {
        String text = probe(false);
        assertTrue(text.contains("available=false"), text);
        assertTrue(text.contains("enabled=false"), text);
        assertTrue(text.contains("on the class path: add io.pare:pare-engine with the classifier natives-"), text);
        assertTrue(text.contains("native=off reason=auto"), text);
    }

    @Test
    void withoutCarriersOnThrowsWithTheCause() throws Exception {
        String text = probe(false, "-Dpare.native=on");
        assertTrue(text.contains("thrown=cannot get "), text);
        assertTrue(text.contains("cause=java.io.IOException"), text);
    }

    @Test
    void offLoadsNeitherLibrariesNorBindings() throws Exception {
        String text = probe(true, "-Dpare.native=off", "-Xlog:class+load");
        assertTrue(text.contains("available=false"), text);
        assertTrue(text.contains("reason=switched off by -Dpare.native=off"), text);
        assertTrue(text.contains("io.pare.natives.Natives "), "class loading is logged");
        assertFalse(text.contains("io.pare.ffm"), text);
        assertFalse(Files.exists(cache.resolve("native")));
    }

    @Test
    void saysHowToAllowNativeAccess() throws Exception {
        List<String> command = command(true);
        command.remove("--enable-native-access=ALL-UNNAMED");
        command.add(1, "--illegal-native-access=deny");
        String text = run(command);
        assertTrue(text.contains("start it with --enable-native-access=ALL-UNNAMED"), text);
    }

    @Test
    void loadsNothingFromACacheThatAnotherUserCouldChange() throws Exception {
        probe(true);
        Path folder = find("libdnnl").getParent();
        Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
        String text = probe(true);
        assertTrue(text.contains("available=false"), text);
        assertTrue(text.contains("other users may write " + cache.toRealPath() + ": run chmod go-w on it, or choose"
                + " another folder by -Dpare.cache"), text);
        assertTrue(text.contains("native=off reason=auto"), text);
        assertTrue(probe(true, "-Dpare.native=on").contains("thrown=no library is loaded from the cache"));
        // A folder of the user's own is judged alike; the private cache serves in its place.
        List<String> command = command(true);
        command.set(command.indexOf("-Dpare.cache=" + cache), "-Dpare.cache=" + other);
        command.add(1, "-Dpare.native.path=" + folder);
        text = run(command);
        assertTrue(text.contains("-Dpare.native.path=" + folder + " is not used: other users may write "), text);
        assertTrue(text.contains("onednn=JAR " + other), text);
    }

    @Test
    void theThreadCountLeavesTheProcessesPropertiesAlone() {
        NativeThreads.set(NativeThreads.get());
        assertNull(System.getProperty(Natives.THREADS_PROPERTY));
    }

    @Test
    void namesTheModuleThatNeedsAccess() throws Exception {
        // A jar without a descriptor is a module, a folder without one is none.
        Path jar = cache.resolve("pare.jar");
        Path classes = Path.of(Natives.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        run(List.of(Path.of(System.getProperty("java.home"), "bin", "jar").toString(), "--create", "--file",
                jar.toString(), "-C", classes.toString(), "io/pare/natives", "-C", classes.toString(), "io/pare/mem"));
        String text = run(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--illegal-native-access=deny", "-Dpare.cache=" + cache, "-Dpare.native=on", "-p", jar.toString(),
                "--add-modules", "pare", "--patch-module",
                "pare=" + Path.of(NativesProbe.class.getProtectionDomain().getCodeSource().getLocation().toURI()), "-m",
                "pare/" + NativesProbe.class.getName()));
        assertTrue(text.contains("start it with --enable-native-access=pare"), text);
    }

    @Test
    void rejectsAnotherMode() throws Exception {
        String text = probe(false, "-Dpare.native=maybe");
        assertTrue(text.contains("-Dpare.native=maybe: use auto, on or off"), text);
    }

    @Test
    void rejectsAThreadCountThatIsNone() throws Exception {
        for (String count : List.of("0", "two", "-1", "1.5", "")) {
            String text = probe(true, "-Dpare.threads=" + count);
            assertTrue(text.contains("-Dpare.threads=" + count + ": use a whole number from 1"), text);
        }
    }

    @Test
    void knowsWhereItsFilesBelong() {
        assertTrue(Natives.platform().matches("(linux|macosx|windows)-\\w+"), Natives.platform());
        assertTrue(Natives.cacheFolder().isAbsolute());
        assertEquals(List.of(), LibraryFile.index("plan9-vax"));
        for (String platform : List.of("linux-x86_64", "linux-arm64", "macosx-arm64", "macosx-x86_64",
                "windows-x86_64")) {
            List<LibraryFile> files = LibraryFile.index(platform);
            assertTrue(files.stream().anyMatch(f -> f.role().equals(LibraryFile.ONEDNN)), platform);
            assertTrue(files.stream().anyMatch(f -> f.role().equals(LibraryFile.OPENBLAS)), platform);
            assertTrue(files.stream().allMatch(f -> f.sha256().matches("[0-9a-f]{64}") && f.bytes() > 0), platform);
        }
    }

    @Test
    void refusesAThreadCountBelowOne() {
        assertThrows(IllegalArgumentException.class, () -> NativeThreads.set(0));
    }

    private String probe(boolean carriers, String... options) throws Exception {
        List<String> command = command(carriers);
        command.addAll(1, List.of(options));
        return run(command);
    }

    private List<String> command(boolean carriers) {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> carriers || !entry.contains("bytedeco"))
                .collect(Collectors.joining(File.pathSeparator));
        return new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-Dpare.cache=" + cache, "-cp", classPath,
                NativesProbe.class.getName()));
    }

    private static String run(List<String> command, String... variable) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // A test before this one may have loaded the libraries, which writes the environment that children inherit.
        builder.environment().keySet().removeAll(NativesProbe.VARIABLES);
        if (variable.length == 2) {
            builder.environment().put(variable[0], variable[1]);
        }
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return text;
    }

    private Path find(String start) throws IOException {
        try (Stream<Path> all = Files.walk(cache)) {
            return all.filter(path -> path.getFileName().toString().startsWith(start)).findFirst().orElseThrow();
        }
    }
}
