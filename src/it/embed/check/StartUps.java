import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Starts the program in every way in which programs are started, and compares what it prints. Argument: the target folder,
 * with the program's classes, its jar for Spring Boot, and the folders {@code library}, {@code predict}, {@code natives},
 * {@code jackson}.
 */
class StartUps {
    private static final String VECTORS = "--add-modules=jdk.incubator.vector";
    private static final String UNNAMED = "--enable-native-access=ALL-UNNAMED";
    private static final String NAMED = "--enable-native-access=io.pare.engine";
    private static final String DENY = "--illegal-native-access=deny";
    private static final String APP = "embed.App";
    private static final String MODULE = "embed/embed.App";
    private static final String PREDICTED = "predict: 1600 on 8 threads, 0 wrong";
    private static final String ALONE = PREDICTED + "\nproject: 100 kept of 10000";

    private final Path target;
    private int failures;

    private StartUps(Path target) {
        this.target = target;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("two-class-loaders")) {
            twoClassLoaders(args);
            return;
        }
        StartUps check = new StartUps(Path.of(args[0]).toAbsolutePath());
        check.all();
        if (check.failures > 0) {
            System.exit(1);
        }
    }

    private void all() throws IOException, InterruptedException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classes = target.resolve("classes").toString();
        String library = jars("library");
        String natives = jars("natives");
        String jackson = jars("jackson");
        String cache = "-Dpare.cache=" + target.resolve("cache");

        expect("class path, library alone", ALONE, java, VECTORS, UNNAMED, "-cp", join(classes, library), APP, "predict",
                "project");
        String predicting = jars("predict");
        String stored = "target/lenet300.pare";
        expect("the jar that predicts, alone", PREDICTED, java, VECTORS, UNNAMED, "-cp", join(classes, predicting),
                "embed.Service", stored);
        expect("the jar that predicts, module path", PREDICTED, java, VECTORS, NAMED, "--add-modules=io.pare.engine",
                "-p", predicting, "-cp", classes, "embed.Service", stored);
        expect("own network without Jackson", "add com.fasterxml.jackson.dataformat:jackson-dataformat-yaml", java,
                VECTORS, UNNAMED, "-Dpare.native=off", "-cp", join(classes, library), APP, "own-network");
        expect("own network, library and Jackson", "own-network: 2 weights left, proved true", java, VECTORS, UNNAMED,
                "-Dpare.native=off", "-cp", join(classes, library, jackson), APP, "own-network");
        expect("built-in network", "built-in: written and read back", java, VECTORS, UNNAMED, cache, "-cp",
                join(classes, library, natives, jackson), APP, "built-in");
        expect("no natives", "natives: false, cannot get libgomp.so.1", java, UNNAMED,
                "-Dpare.cache=" + target.resolve("empty"), "-cp", join(classes, library), APP, "natives");
        expect("class path", "natives: true", java, UNNAMED, cache, "-cp", join(classes, library, natives), APP, "natives");
        expect("module path", "natives: true", java, NAMED, VECTORS, cache + "-module", "-p",
                join(classes, library, natives), "-m", MODULE, "natives");
        expect("module path, built-in network", "built-in: written and read back", java, NAMED, VECTORS, cache,
                "--add-modules=com.fasterxml.jackson.databind,com.fasterxml.jackson.dataformat.yaml", "-p",
                join(classes, library, natives, jackson), "-m", MODULE, "built-in");
        expect("mixed", "natives: true", java, NAMED, cache, "-p", join(classes, library), "-cp", natives, "-m", MODULE,
                "natives");
        expect("native access denied, class path", "start it with --enable-native-access=ALL-UNNAMED", java, DENY, "-cp",
                join(classes, library), APP, "project");
        expect("native access denied, module path", "start it with --enable-native-access=io.pare.engine", java, DENY,
                "-p", join(classes, library), "-m", MODULE, "project");
        expect("two class loaders", "natives: true, loaded from cache\nnatives: true, loaded from cache", java, UNNAMED,
                cache, target.getParent().resolve("check/StartUps.java").toString(),
                "two-class-loaders", classes, library, natives);
        Path image = target.resolve("image");
        expect("jlink", "", Path.of(System.getProperty("java.home"), "bin", "jlink").toString(), "-p",
                join(classes, library), "--add-modules", "embed,jdk.incubator.vector", "--output", image.toString());
        String own = image.resolve("bin").resolve("java").toString();
        expect("image", ALONE + "\nnatives: true", own, NAMED, cache, "-p", natives, "-m", MODULE, "predict", "project",
                "natives");
        expect("Spring Boot's nested jars", ALONE + "\nnatives: true", java, UNNAMED, VECTORS, cache + "-nested", "-jar",
                target.resolve("embed-boot.jar").toString(), "predict", "project", "natives");
    }

    /** Two web applications with Pare, in turn. */
    private static void twoClassLoaders(String[] path) throws Exception {
        List<URL> urls = new ArrayList<>();
        for (int i = 1; i < path.length; i++) {
            for (String entry : path[i].split(File.pathSeparator)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
        }
        for (int i = 0; i < 2; i++) {
            ClassLoader loader = new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
            loader.loadClass(APP).getMethod("main", String[].class).invoke(null, (Object) new String[] {"natives"});
        }
    }

    /** Compares what a process prints with each line of {@code expected}; all that it printed is shown if one is missing. */
    private void expect(String name, String expected, String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        boolean ended = process.waitFor(120, TimeUnit.SECONDS);
        boolean right = ended && expected.lines().allMatch(said::contains)
                && !said.contains("NoClassDefFoundError") && !said.contains("ExceptionInInitializerError");
        System.out.println((right ? "as expected: " : "NOT AS EXPECTED: ") + name);
        if (!right) {
            failures++;
            System.out.println(String.join(" ", command) + "\n" + said + "expected:\n" + expected);
        }
    }

    private String jars(String folder) throws IOException {
        try (Stream<Path> jars = Files.list(target.resolve(folder))) {
            return String.join(File.pathSeparator, jars.map(Path::toString).sorted().toList());
        }
    }

    private static String join(String... paths) {
        return String.join(File.pathSeparator, paths);
    }
}
