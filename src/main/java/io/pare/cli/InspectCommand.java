package io.pare.cli;

import io.pare.format.NetworkFile;
import io.pare.format.pare.PareFile;
import io.pare.net.CompressedTensor;
import io.pare.net.CompressedWeights;
import io.pare.net.Parameter;
import io.pare.report.JsonReport;
import io.pare.run.Scales;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says what a network's file holds and where its bytes go. */
@Command(name = "inspect", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Say what a network's file holds, and where its bytes go.",
        description = {"Bytes are those of a .pare file of the network, also where FILE is of another kind.", ""},
        optionListHeading = "%nOptions:%n", footer = {"", "Example:", "  pare inspect runs/prune/lenet5.pare"})
final class InspectCommand implements Callable<Integer> {
    @Mixin
    private NetworkSource source;

    @Option(names = "--report", paramLabel = "FILE.json", description = "Write the same as JSON.")
    private Path report;

    @Mixin
    private ScaleOption scale;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (report != null) {
            OutputPath.checkFile("--report", report);
        }
        Path file = source.file();
        CompressedWeights weights = source.read(scale, spec.commandLine().getErr()::println);
        PareFile.Sizes sizes = PareFile.sizes(weights);
        long elements = weights.model().elementCount();
        long gzip = gzip(weights);
        PrintWriter out = spec.commandLine().getOut();
        out.printf(Locale.ROOT, "file       %s, %s, %,d bytes%n", file, kind(file), Files.size(file));
        out.printf(Locale.ROOT, "model      %s, input %s, %d classes%n", weights.model().name(),
                weights.model().input(),
                weights.model().classes());
        out.printf("scale      %s%n", Scales.text(weights.scale()));
        Map<String, String> provenance =
                NetworkFile.format(file) == NetworkFile.Format.PARE ? PareFile.provenance(file) : Map.of();
        provenance.forEach((name, text) -> out.printf("%-10s %s%n", name, text));
        out.printf(Locale.ROOT, "weights    %,d of %,d kept (1/%.1f)%n%n", weights.nonzeroWeights(),
                weights.model().weightCount(), (double) weights.model().weightCount() / weights.nonzeroWeights());
        out.printf("%-14s %-12s %9s %9s %8s %7s %5s %11s %9s %9s%n", "tensor", "shape", "elements", "kept", "density",
                "values", "bits", "positions", "codes", "codebook");
        List<Map<String, Object>> layers = new ArrayList<>();
        for (Parameter parameter : weights.model().parameters()) {
            CompressedTensor tensor = weights.tensor(parameter.name());
            PareFile.TensorSizes bytes = sizes.tensors().get(parameter.name());
            int values = tensor.isCoded() ? tensor.codebook().length : -1;
            String shape = Arrays.stream(tensor.shape()).mapToObj(Long::toString).collect(Collectors.joining("x"));
            out.printf(Locale.ROOT, "%-14s %-12s %9d %9d %7.2f%% %7s %5d%s%n", parameter.name(), shape, tensor.count(),
                    tensor.nonzeros(), 100 * tensor.density(), values < 0 ? "many" : Integer.toString(values),
                    tensor.bitsPerValue(), bytes == null
                            ? ""
                            : String.format(Locale.ROOT, " %11.1f %9.1f %9.1f", bytes.positions(), bytes.codes(),
                                    bytes.codebook()));
            Map<String, Object> layer = new LinkedHashMap<>();
            layer.put("name", parameter.name());
            layer.put("shape", tensor.shape());
            layer.put("kept", tensor.nonzeros());
            layer.put("density", tensor.density());
            layer.put("distinctValues", values < 0 ? null : values);
            layer.put("bitsPerValue", tensor.bitsPerValue());
            layer.put("bytes", bytes);
            layers.add(layer);
        }
        out.printf(Locale.ROOT, "%nas .pare   %,d bytes: positions %.0f, codes %.0f, codebooks %.0f, biases %.0f,"
                + " header %.0f%n", sizes.file(), sizes.positions(), sizes.codes(), sizes.codebooks(), sizes.biases(),
                sizes.header());
        ratio(out, "float32", elements * Float.BYTES, sizes.file());
        ratio(out, "float16", elements * Short.BYTES, sizes.file());
        ratio(out, "gzip -9", gzip, sizes.file());
        out.flush();
        if (report != null) {
            new JsonReport().put("file", file.toString()).put("kind", kind(file)).put("fileBytes", Files.size(file))
                    .put("provenance", provenance).put("model", weights.model().name())
                    .put("scale", Scales.text(weights.scale()))
                    .put("weights", weights.model().weightCount())
                    .put("keptWeights", weights.nonzeroWeights()).put("pareBytes", sizes.file())
                    .put("positions", sizes.positions()).put("codes", sizes.codes())
                    .put("codebooks", sizes.codebooks()).put("biases", sizes.biases()).put("header", sizes.header())
                    .put("float32Bytes", elements * Float.BYTES).put("float16Bytes", elements * Short.BYTES)
                    .put("gzipBytes", gzip).put("tensors", layers).write(report);
        }
        return Commands.OK;
    }

    private static String kind(Path file) throws IOException {
        return NetworkFile.format(file).name().toLowerCase(Locale.ROOT);
    }

    private static void ratio(PrintWriter out, String form, long bytes, long packed) {
        out.printf(Locale.ROOT, "as %-7s %,d bytes, %.1f times as much%n", form, bytes, (double) bytes / packed);
    }

    /** Size of the dense float32 values after gzip. */
    private static long gzip(CompressedWeights weights) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed) {
            {
                def.setLevel(9);
            }
        }) {
            for (Parameter parameter : weights.model().parameters()) {
                float[] values = weights.tensor(parameter.name()).toArray();
                ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                bytes.asFloatBuffer().put(values);
                gzip.write(bytes.array());
            }
        }
        return packed.size();
    }
}
