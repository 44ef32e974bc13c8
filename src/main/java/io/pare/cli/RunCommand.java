package io.pare.cli;

import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxConstant;
import io.pare.run.Engine;
import io.pare.run.ModelRun;
import io.pare.run.TensorFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Gives a network tensors and writes those that it gives. */
@Command(name = "run", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Give a network tensors from files, and write those that it gives.%n",
        description = {
            "Inputs and outputs have the names of an ONNX file; other networks take input and give output. The shapes are"
                    + " those of ONNX, the batch included: its size, and those of other dimensions that the file leaves"
                    + " free, are taken from the inputs. Outputs are .npy files of float32.",
            ""},
        optionListHeading = "%nOptions:%n",
        footer = {"", "Examples:", "  pare run net.onnx --input image=images.npy --out outputs",
            "  pare run tagger.onnx --input batch.npz --dim length=32 --out outputs",
            "  pare run runs/prune/lenet5.pare --input input=digits.npy --engine sparse --out outputs"})
final class RunCommand implements Callable<Integer> {
    @Mixin
    private NetworkSource source;

    @Option(names = "--input", paramLabel = "[NAME=]FILE", required = true,
            description = "A tensor in a .npy, .npz or ONNX's .pb file; a .npz file without NAME= has all by name. May be"
                    + " given more than once.")
    private List<String> inputs;

    @Option(names = "--constant", paramLabel = "NAME=FILE",
            description = "A tensor for an input of an ONNX file that Pare takes as a constant only: a shape, a weight."
                    + " May be given more than once.")
    private List<String> constants = List.of();

    @Option(names = "--dim", paramLabel = "NAME=SIZE",
            description = "Size of a dimension that an ONNX file leaves free and no input says, by its name or as"
                    + " INPUT:AXIS.")
    private Map<String, Integer> sizes = Map.of();

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Folder for the outputs.")
    private Path out;

    @Option(names = "--engine", paramLabel = "NAME", defaultValue = "dense",
            description = "dense (the trainer's) or sparse (straight from the compressed form; default:"
                    + " ${DEFAULT-VALUE}).")
    private Engine engine;

    @Mixin
    private ThreadOption threads;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        OutputPath.checkFolder(out);
        Map<String, OnnxConstant> given = new LinkedHashMap<>();
        for (String input : inputs) {
            var read = input.contains("=") ? named("--input", input) : TensorFile.readAll(Path.of(input));
            read.forEach((name, tensor) -> {
                if (given.put(name, tensor) != null) {
                    throw new UsageException("--input " + input + ": there is a tensor for '" + name + "' already");
                }
            });
        }
        PrintWriter err = spec.commandLine().getErr();
        ModelRun run = open(given);
        run.model().notes().forEach(note -> err.println("pare: " + note));
        ThreadOption.apply(threads.orElse(ThreadOption.processors()));
        Map<String, OnnxConstant> outputs = run.outputs(given, engine);
        Map<String, Path> files = TensorFile.write(out, outputs);
        PrintWriter to = spec.commandLine().getOut();
        outputs.forEach((name, tensor) -> to.println(name + "  " + Arrays.toString(tensor.shape()) + "  "
                + files.get(name)));
        to.flush();
        return Commands.OK;
    }

    private ModelRun open(Map<String, OnnxConstant> given) throws IOException {
        if (ModelRun.isOnnx(source.file())) {
            Map<String, OnnxConstant> bound = new LinkedHashMap<>();
            for (String constant : constants) {
                bound.putAll(named("--constant", constant));
            }
            return ModelRun.ofOnnx(source.file(), given, new Bindings(sizes, bound));
        }
        if (!constants.isEmpty() || !sizes.isEmpty()) {
            throw new UsageException("--constant and --dim are for ONNX files; " + source.file() + " is none");
        }
        return ModelRun.of(source.read(spec.commandLine().getErr()::println));
    }

    private static Map<String, OnnxConstant> named(String option, String given) throws IOException {
        int split = given.indexOf('=');
        if (split < 1 || split == given.length() - 1) {
            throw new UsageException(option + " " + given + ": give NAME=FILE");
        }
        String name = given.substring(0, split);
        return Map.of(name, TensorFile.read(Path.of(given.substring(split + 1)), name));
    }
}
