package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.Training;
import io.pare.compress.Variable;
import io.pare.docs.Page;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.PareFile;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Net;
import io.pare.net.NetBuilder;
import io.pare.net.PrunedNets;
import io.pare.net.Shape;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** The code in README.md and below docs, as a user pastes it: Java is compiled and run, command lines are read. */
public class ReadmeTest {
    private static final String PROGRAM = "(?:\\./pare|java -jar target/engine\\.jar) ";
    /** A line of a code block, up to the comment after it, and what stands between backticks in a text. */
    private static final List<Pattern> COMMANDS =
            List.of(Pattern.compile("(?m)^ {4}(?: {2}pare |" + PROGRAM + ")(.*?)(?:  .*)?$"),
                    Pattern.compile("`" + PROGRAM + "([^`]+)`"));

    @TempDir
    Path folder;

    /** What the examples leave to the reader: data, weights, a loss. Public, for it is their superclass. */
    public abstract static class Reader implements AutoCloseable {
        private final Region region = Region.shared("readme");
        protected final int stepsPerEpoch = 2;
        protected final FloatTensor fc1 = region.tensor(10, 100);
        protected final FloatTensor fc1Bias = region.tensor(10);
        protected final FloatTensor weights = region.tensor(32, 64);
        protected final FloatTensor activations = region.tensor(1_000, 64);
        protected Path path;
        protected int[] pixels;

        protected Reader() {
            for (long i = 0; i < fc1.count(); i++) {
                fc1.set(i, target(i));
            }
            Random random = new Random(1);
            for (FloatTensor noise : List.of(weights, activations)) {
                for (long i = 0; i < noise.count(); i++) {
                    noise.set(i, (float) random.nextGaussian());
                }
            }
        }

        public abstract void run() throws Exception;

        private static float target(long i) {
            return (float) Math.sin(1 + i);
        }

        protected double gradient(long batch, List<Variable> variables) {
            double loss = 0;
            for (Variable variable : variables) {
                for (long i = 0; i < variable.value().count(); i++) {
                    float off = variable.value().get(i) - target(i);
                    variable.gradient().set(i, off);
                    loss += off * off / 2;
                }
            }
            return loss;
        }

        protected Training.Evaluation evaluate() {
            return new Training.Evaluation(1, 0);
        }

        @Override
        public void close() {
            region.close();
        }
    }

    static List<String> examples() throws Exception {
        List<String> found = Page.all().stream().flatMap(page -> page.javaBlocks().stream()).toList();
        assertTrue(found.size() >= 6, found.size() + " examples");
        return found;
    }

    @ParameterizedTest
    @MethodSource("examples")
    void javaCompilesAndRuns(String example) throws Exception {
        String imports = example.lines().filter(line -> line.startsWith("import "))
                .collect(Collectors.joining("\n"));
        String body = example.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
        compile(imports + "\npublic class Example extends " + Reader.class.getCanonicalName()
                + " {\npublic void run() throws Exception {\n" + body + "\n}\n}\n");
        URL[] classes = {folder.toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(classes, getClass().getClassLoader());
                Reader reader = (Reader) loader.loadClass("Example").getConstructor().newInstance()) {
            reader.path = folder.resolve("example.pare");
            reader.pixels = new int[3 * 2 * 2];
            Net model = new NetBuilder("tiny", Shape.of(3, 2, 2)).flatten("flatten").linear("fc", 3).build();
            PareFile.write(reader.path, PrunedNets.of(model, Map.of(), 2, 1, 3));
            reader.run();
        }
    }

    private void compile(String source) {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        boolean compiled = compiler.getTask(messages, null, null,
                List.of("-d", folder.toString(), "-classpath", System.getProperty("java.class.path")), null,
                List.of(new SimpleJavaFileObject(URI.create("string:///Example.java"),
                        SimpleJavaFileObject.Kind.SOURCE) {
                    @Override
                    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                        return source;
                    }
                })).call();
        assertTrue(compiled, () -> messages + "\n" + source);
    }

    /** The code blocks of the README in order, as a rehearsal: noise in place of digits, few images, few steps. */
    @Test
    void theCommandsOfTheReadmeRun() throws Exception {
        Map<String, String> rehearsal = Map.of("train", " --data synthetic --images 128 --epochs 1 --out runs/lenet5",
                "compress", " --data synthetic --images 128 --steps 1", "eval", " --data synthetic");
        List<String> lines = COMMANDS.getFirst().matcher(Page.of(Page.README).text()).results()
                .map(match -> match.group(1).strip()).toList();
        assertTrue(lines.size() >= 5, lines.toString());
        Net own = new NetBuilder("own", Shape.of(1, 6, 6)).flatten("flatten").linear("fc1", 3).build();
        OnnxFile.write(folder.resolve("mine.onnx"), PrunedNets.of(own, Map.of(), 2, 1, 3), OnnxWeights.FLOATS);
        for (String line : lines) {
            String[] words = (line.replace("mine.onnx", folder.resolve("mine.onnx").toString())
                    .replace("--data DIR", "--out runs/mine") + rehearsal.getOrDefault(line.split(" ")[0], ""))
                    .split("\\s+");
            for (int i = 0; i < words.length; i++) {
                words[i] = words[i].startsWith("runs/") ? folder.resolve(words[i]).toString() : words[i];
            }
            StringWriter out = new StringWriter();
            StringWriter err = new StringWriter();
            int exit = Commands.line().setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(words);
            assertEquals(Commands.OK, exit, line + "\n" + err);
            assertTrue(out.toString().lines().count() >= 3, line + "\n" + out);
        }
    }

    @Test
    void everyCommandLineIsOne() throws Exception {
        String pages = Page.all().stream().map(Page::text).collect(Collectors.joining("\n"));
        // S stands for a seed, dots for what a text leaves out; where output goes is the shell's.
        List<List<String>> lines = COMMANDS.stream().flatMap(pattern -> pattern.matcher(pages).results())
                .map(match -> List
                        .of(match.group(1).replaceAll("\\bS\\b", "1").replace(" ...", "").replaceAll(" > .*", "")
                                .strip()
                                .split("\\s+")))
                .toList();
        assertTrue(lines.size() > 60, lines.toString());
        CommandLine commands = Commands.line();
        for (List<String> line : lines) {
            assertDoesNotThrow(() -> commands.parseArgs(line.toArray(new String[0])), line.toString());
        }
    }
}
