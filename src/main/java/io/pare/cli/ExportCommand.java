package io.pare.cli;

import io.pare.format.NetworkFile;
import io.pare.format.NetworkFile.Kind;
import io.pare.format.onnx.OnnxFile;
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
                    + " Pare knows; --names maps names. ONNX files use opset 13.",
            ""},
        footer = {"", "Examples:", "  pare export runs/lenet5 --out lenet5.onnx",
            "  pare export lenet5.pare --out lenet5.onnx --as onnx-codebook",
            "  pare export lenet5.pare --out small.pare --remove-dead --biases 4 --sort",
            "  pare export runs/resnet20-groups --out small.onnx --dense --report small.json",
            "  pare export theirs.pth --model lenet5 --names map.txt --out lenet5.pare"})
final class ExportCommand implements Callable<Integer> {
    @Mixin
    private NetworkSource source;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "File to write.")
    private Path out;

    @Option(names = "--as", paramLabel = "KIND",
            description = "pare, safetensors, safetensors-compressed, onnx or onnx-codebook (default: by the ending of"
                    + " --out).")
    private Kind kind;

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

    @Mixin
    private ScaleOption scale;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Kind chosen = kind != null ? kind : byEnding();
        OutputPath.checkFile("--out", out);
        ValueForm form = biases == null ? null : ValueForm.of(biases);
        if (report != null && !dense) {
            throw new UsageException("--report is for --dense: give both or neither");
        }
        if (report != null) {
            OutputPath.checkFile("--report", report);
        }
        PrintWriter results = spec.commandLine().getOut();
        CompressedWeights weights = source.read(scale, spec.commandLine().getErr()::println);
        if (!keepBatchNorm && chosen != Kind.SAFETENSORS && chosen != Kind.SAFETENSORS_COMPRESSED) {
            weights = BatchNormFolding.fold(weights);
        }
        if (removeDead || form != null) {
            weights = reduce(weights, form, results);
        }
        if (dense) {
            weights = shrink(weights, results);
        }
        if (sort) {
            weights = UnitOrder.sort(weights);
        }
        boolean onnx = chosen == Kind.ONNX || chosen == Kind.ONNX_CODEBOOK;
        if (onnx && NetworkFile.format(source.file()) == NetworkFile.Format.ONNX) {
            OnnxFile.write(out, weights, chosen == Kind.ONNX_CODEBOOK,
                    OnnxFile.names(source.file(), source.bindings()));
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
