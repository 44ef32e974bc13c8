package io.pare.cli;

import io.pare.format.onnx.Bindings;
import io.pare.format.onnx.OnnxConstant;
import io.pare.format.onnx.Port;
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
        header = "Give a network tensors from files, and write those that it gives.",
        description = {
            "Inputs and outputs have the names of an ONNX file; other networks take input and give output. The shapes are"
                    + " those of ONNX, the batch included: its size, and those of other dimensions that the file leaves"
                    + " free, are taken from the inputs. Outputs are .npy files of float32.",
            ""},
        optionListHeading = "%nOptions:%n",
        footer = {"", "Examples:", "  pare run net.onnx --input images.npy --out outputs",
            "  pare run tagger.onnx --input batch.npz --dim length=32 --out outputs",
            "  pare run runs/prune/lenet5.pare --input digits.npy --engine sparse --out outputs"})
final class RunCommand implements Callable<Integer> {
    @Mixin
    private NetworkSource source;

    @Option(names = "--input", paramLabel = "[NAME=]FILE", required = true,
            description = "A tensor in a .npy, .npz or ONNX's .pb file. NAME= may be left out where the network has one"
                    + " input, and for a .npz file, which has all by name. May be given more than once.")
    private List<String> inputs;

    @Option(names = "--constant", paramLabel = "NAME=FILE",
            description = "A tensor for an input of an ONNX file that Pare takes as a constant only: a shape, a weight."
                    + " May be given more than once.")
    private List<String> constants = List.of();

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
        PrintWriter err = spec.commandLine().getErr();
        ModelRun run;
        Map<String, OnnxConstant> given;
        if (ModelRun.isOnnx(source.file())) {
            source.checkPlain();
            Bindings bindings = bindings();
            given = given(ModelRun.inputs(source.file(), bindings));
            run = ModelRun.ofOnnx(source.file(), given, bindings);
        } else {
            if (!constants.isEmpty()) {
                throw new UsageException("--constant is for ONNX files; " + source.file() + " is none");
            }
            run = ModelRun.of(source.read(err::println));
            given = given(run.model().inputs().stream().map(Port::name).toList());
        }
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

    private Bindings bindings() throws IOException {
        Bindings bindings = source.bindings();
        for (String constant : constants) {
            for (Map.Entry<String, OnnxConstant> each : named("--constant", constant).entrySet()) {
                bindings = bindings.with(each.getKey(), each.getValue());
            }
        }
        return bindings;
    }

    /** The tensors by the inputs that they are for. */
    private Map<String, OnnxConstant> given(List<String> names) throws IOException {
        Map<String, OnnxConstant> given = new LinkedHashMap<>();
        for (String input : inputs) {
            Map<String, OnnxConstant> read = input.contains("=") ? named("--input", input) : bare(input, names);
            read.forEach((name, tensor) -> {
                if (given.put(name, tensor) != null) {
                    throw new UsageException("--input " + input + ": there is a tensor for '" + name + "' already");
                }
            });
        }
        return given;
    }

    /** The tensors of a file that was given without a name: one is for the only input, if there is only one. */
    private static Map<String, OnnxConstant> bare(String file, List<String> names) throws IOException {
        Map<String, OnnxConstant> all = TensorFile.readAll(Path.of(file));
        if (all.size() == 1 && names.size() == 1) {
            return Map.of(names.getFirst(), all.values().iterator().next());
        }
        if (all.containsKey(TensorFile.UNNAMED)) {
            throw new UsageException("--input " + file + ": the network takes " + String.join(", ", names)
                    + ": say which by NAME=" + file);
        }
        return all;
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
