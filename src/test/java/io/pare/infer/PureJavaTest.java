package io.pare.infer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.format.pare.PareFile;
import io.pare.net.PrunedNets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A service that only predicts loads no native library, nor a class that could load one. */
class PureJavaTest {
    private static final List<String> FORBIDDEN = List.of("io.pare.natives.", "io.pare.dnnl.", "io.pare.blas.",
            "io.pare.ffm.", "io.pare.exec.", "io.pare.train.");

    @TempDir
    private Path folder;

    /** The service: reads a file, predicts one image and a batch. */
    public static final class Service {
        private Service() {}

        public static void main(String[] args) throws IOException {
            try (var model = CompressedModel.load(Path.of(args[0]))) {
                float[] one = model.predict(new float[784]);
                float[] many = model.predict(new float[20 * 784], 20);
                System.out.println(one.length + many.length);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void predictingLoadsNothingNative(boolean vectors) throws IOException, InterruptedException {
        Path file = folder.resolve("net.pare");
        PareFile.write(file, PrunedNets.lenet5(PrunedNets.KEPT_167X, 4, 1, 3));
        Path classes = folder.resolve("classes.txt");
        Path out = folder.resolve("out.txt");
        List<String> command =
                new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xlog:class+load:file=" + classes.getFileName()));
        if (vectors) {
            command.addAll(List.of("--add-modules", "jdk.incubator.vector"));
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Service.class.getName(), file.toString()));
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true)
                .redirectOutput(out.toFile()).start();
        assertTrue(process.waitFor(2, TimeUnit.MINUTES));
        assertEquals(0, process.exitValue(), Files.readString(out));
        assertTrue(Files.readString(out).contains("210"), Files.readString(out));
        List<String> loaded = Files.readAllLines(classes);
        assertTrue(loaded.stream().anyMatch(line -> line.contains("io.pare.infer.CompressedModel")));
        assertEquals(List.of(), loaded.stream().filter(line -> FORBIDDEN.stream().anyMatch(line::contains)).toList());
    }

    /** That the test above can fail: a class of the trainer is seen where it is loaded. */
    @Test
    void forbiddenPackagesExist() throws ClassNotFoundException {
        for (String name : List.of("io.pare.natives.Natives", "io.pare.dnnl.Dnnl", "io.pare.blas.Blas",
                "io.pare.exec.Graph", "io.pare.train.Trainer")) {
            assertTrue(FORBIDDEN.stream().anyMatch(Class.forName(name, false, getClass().getClassLoader())
                    .getName()::startsWith));
        }
    }
}
