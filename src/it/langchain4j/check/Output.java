import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Compares what the program prints with {@code expected.txt}. Arguments: that file, the program's class path. */
class Output {
    private Output() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        long begin = System.nanoTime();
        if (args[1].toLowerCase(Locale.ROOT).contains("onnxruntime")) {
            throw new IllegalStateException("ONNX Runtime is on the class path " + args[1]);
        }
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process process = new ProcessBuilder(List.of(java, "--add-modules=jdk.incubator.vector", "-Xmx512m", "-cp",
                args[1].replace(File.pathSeparator + File.pathSeparator, File.pathSeparator), "search.App"))
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String expected = Files.readString(Path.of(args[0]));
        if (process.waitFor() != 0 || !said.equals(expected)) {
            System.out.println("expected:\n" + expected + "printed:\n" + said);
            System.exit(1);
        }
        System.out.printf(Locale.ROOT, "as LangChain4j's own model has it, in %.1f s%n", (System.nanoTime() - begin) / 1e9);
    }
}
