package io.pare.cli;

import io.pare.compress.constraint.BlockLevels;
import io.pare.format.NetworkFile;
import io.pare.format.NetworkFile.Kind;
import io.pare.format.onnx.OnnxFile;
import io.pare.format.onnx.OnnxWeights;
import io.pare.format.pare.ProgressiveFile;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.CompressedWeights;
import io.pare.net.Parameter;
import io.pare.report.JsonReport;
import io.pare.rewrite.BatchNormFolding;
import io.pare.rewrite.DeadPaths;
import io.pare.rewrite.Shrinking;
import io.pare.rewrite.UnitOrder;
import io.pare.rewrite.ValueForm;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a network as another kind of file. */
@Command(name = "export", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Write a network as .pare, safetensors or ONNX.",
        description = {
            "Also imports: FILE may be one of PyTorch, NumPy, safetensors or ONNX that others wrote for a model that"
                    + " Pare knows; --names maps names. ONNX files use opset 13, with integers in blocks opset 21.",
            ""},
        footer = {"", "Examples:", "  pare export runs/lenet5 --out lenet5.onnx",
            "  pare export lenet5.pare --out lenet5.onnx --as onnx-codebook",
            "  pare export encoder.onnx --out encoder-int4.onnx --weights int4",
            "  pare export lenet5.pare --out small.pare --remove-dead --biases 4 --sort",
            "  pare export runs/resnet20-groups --out small.onnx --dense --report small.json",
            "  pare export theirs.pth --model lenet5 --names map.txt --out lenet5.pare"})
final class ExportCommand implements Callable<Integer> {
    /** How ONNX files hold matrices. */
    enum WeightForm {
        /** Floats. */
        FLOAT,
        /** Blocks of integers of 4 bits. */
        INT4,
        /** Blocks of integers of 8 bits. */
        INT8
    }

    @Mixin
    private NetworkSource source;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "File to write.")
    private Path out;

    @Option(names = "--as", paramLabel = "KIND",
            description = "pare, safetensors, safetensors-compressed, onnx or onnx-codebook (default: by the ending of"
                    + " --out).")
    private Kind kind;

    @Option(names = "--weights", paramLabel = "FORM",
            description = "Of ONNX: float, or int4 or int8 for matrices as integers that share a step and a zero in blocks. They"
                    + " are rounded unless they lie on such a grid (default: float).")
    private WeightForm form;

    @Option(names = "--block", paramLabel = "N",
            description = "Of --weights int4 and int8: 16, 32, 64, 128 or 256 neighbours in a row (default: 32).")
    private Integer block;

    @Option(names = "--into", paramLabel = "FILE.onnx",
            description = "Of --weights int4 and int8: keep the graph of this file, which FILE was made of, with its inputs of any"
                    + " length, and put FILE's matrices into it.")
    private Path into;

    @Option(names = "--remove-dead",
            description = "First remove weights that cannot change the output; constants go into later biases.")
    private boolean removeDead;

    @Option(names = "--dense",
            description = "Take out whole units that no weight reads: a smaller network of the same outputs. Says what"
                    + " that saves, and the time of a sample before and after.")
    private boolean dense;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write what --dense says as JSON.")
    private Path report;

    @Option(names = "--keep-batch-norm",
            description = "Leave normalisations as layers; otherwise .pare and ONNX files have them in the convolutions"
                    + " before, unless these have few distinct weights.")
    private boolean keepBatchNorm;

    @Option(names = "--biases", paramLabel = "FORM",
            description = "Round biases first: none, f32, f16, multiples of a step in 2 to 8 bits, or k1 to k64 distinct values (default: f32).")
    private String biases;

    @Option(names = "--sort",
            description = "Last, put hidden units into an order that makes a .pare file small; sums then add up in another order.")
    private boolean sort;

    @Option(names = "--progressive",
            description = "Of --as pare: in layers, the first of which is a network of 2 bits a value that can be used while the"
                    + " rest arrives.")
    private boolean progressive;

    @Mixin
    private ScaleOption scale;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Kind chosen = kind != null ? kind : byEnding();
        OutputPath.checkFile("--out", out);
        OnnxWeights onnx = onnx(chosen);
        if (progressive && chosen != Kind.PARE) {
            throw new UsageException("--progressive belongs to --as pare");
        }
        PrintWriter results = spec.commandLine().getOut();
        if (onnx != null && onnx.kind() == OnnxWeights.Kind.BLOCKS && (into != null || isGraph())) {
            return rewrite(onnx, results);
        }
        ValueForm rounded = biases == null ? null : ValueForm.of(biases);
        if (report != null && !dense) {
            throw new UsageException("--report is for --dense: give both or neither");
        }
        if (report != null) {
            OutputPath.checkFile("--report", report);
        }
        CompressedWeights weights = source.read(scale, spec.commandLine().getErr()::println);
        if (!keepBatchNorm && chosen != Kind.SAFETENSORS && chosen != Kind.SAFETENSORS_COMPRESSED) {
            weights = BatchNormFolding.fold(weights);
        }
        if (removeDead || rounded != null) {
            weights = reduce(weights, rounded, results);
        }
        if (dense) {
            weights = shrink(weights, results);
        }
        if (sort) {
            weights = UnitOrder.sort(weights);
        }
        if (onnx != null && NetworkFile.format(source.file()) == NetworkFile.Format.ONNX) {
            OnnxFile.write(out, weights, onnx, OnnxFile.names(source.file(), source.bindings()));
        } else if (onnx != null) {
            OnnxFile.write(out, weights, onnx);
        } else if (progressive) {
            ProgressiveFile.write(out, weights);
        } else {
            NetworkFile.write(out, weights, chosen);
        }
        results.printf(Locale.ROOT, "%s  %,d bytes, %s of %s%n", out, Files.size(out),
                chosen.name().toLowerCase(Locale.ROOT), weights.model().name());
        results.flush();
        return Commands.OK;
    }

    private CompressedWeights shrink(CompressedWeights weights, PrintWriter results) throws IOException {
        Shrinking.Result result = Shrinking.shrink(weights);
        DenseReport said = new DenseReport(weights, result.weights(), result.groups().count(), result.removed());
        said.print(results);
        if (report != null) {
            JsonReport json = new JsonReport().put("file", source.file().toString())
                    .put("model", weights.model().name());
            said.put(json);
            json.write(report);
        }
        return result.weights();
    }

    /** Whether the file is a graph, which stays as it is where none of these options changes it. */
    private boolean isGraph() throws IOException {
        return Files.isRegularFile(source.file()) && NetworkFile.format(source.file()) == NetworkFile.Format.ONNX;
    }

    private int rewrite(OnnxWeights form, PrintWriter results) throws IOException {
        for (String option : new String[]{"--remove-dead", "--dense", "--report", "--biases", "--sort",
            "--keep-batch-norm"}) {
            if (spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new UsageException(option + " changes the graph, which --weights int4 and int8 leave as it is");
            }
        }
        OnnxFile.rewrite(into == null ? source.file() : into, out, form,
                into == null ? null : source.read(scale, spec.commandLine().getErr()::println));
        results.printf(Locale.ROOT, "%s  %,d bytes, onnx%n", out, Files.size(out));
        results.flush();
        return Commands.OK;
    }

    /** How weights are written to ONNX; null for another kind of file. */
    private OnnxWeights onnx(Kind chosen) {
        boolean integers = form != null && form != WeightForm.FLOAT;
        if (form != null && chosen != Kind.ONNX) {
            throw new UsageException("--weights belongs to --as onnx");
        }
        for (String option : new String[]{"--block", "--into"}) {
            if (!integers && spec.commandLine().getParseResult().hasMatchedOption(option)) {
                throw new UsageException(option + " belongs to --weights int4 and int8");
            }
        }
        if (!integers) {
            return switch (chosen) {
                case ONNX -> OnnxWeights.FLOATS;
                case ONNX_CODEBOOK -> OnnxWeights.AS_THEY_ARE;
                case PARE, SAFETENSORS, SAFETENSORS_COMPRESSED -> null;
            };
        }
        try {
            return OnnxWeights.blocks(form == WeightForm.INT4 ? 4 : 8, block == null ? BlockLevels.USUAL_BLOCK : block);
        } catch (IllegalArgumentException e) {
            throw new UsageException("--block " + block + ": " + e.getMessage());
        }
    }

    private CompressedWeights reduce(CompressedWeights weights, ValueForm form, PrintWriter results) {
        try (Region region = Region.confined("export")) {
            Map<String, FloatTensor> parameters = weights.dense(region);
            if (removeDead) {
                int moved = DeadPaths.foldBiases(weights.model(), parameters);
                DeadPaths.Removed removed = DeadPaths.remove(weights.model(), parameters);
                results.printf(Locale.ROOT, "removed %,d weights and %,d biases, folded %,d biases and %,d constants%n",
                        removed.weights(), removed.biases(), moved, removed.folded());
            }
            if (form != null) {
                weights.model().parameters().stream().filter(parameter -> parameter.kind() == Parameter.Kind.BIAS)
                        .forEach(parameter -> form.round(parameters.get(parameter.name())));
            }
            return CompressedWeights.of(weights.model(), parameters, weights.scale());
        }
    }

    private Kind byEnding() {
        String name = out.toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".pare")) {
            return Kind.PARE;
        }
        if (name.endsWith(".safetensors")) {
            return Kind.SAFETENSORS;
        }
        if (name.endsWith(".onnx")) {
            return Kind.ONNX;
        }
        throw new UsageException(out + " ends neither in .pare nor in .safetensors nor in .onnx: say which by --as");
    }
}
