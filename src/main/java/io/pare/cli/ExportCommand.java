package io.pare.cli;

import io.pare.file.AtomicFile;
import io.pare.format.CompressedWeights;
import io.pare.format.NetworkFile;
import io.pare.format.NetworkFile.Kind;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a network as another kind of file. */
@Command(name = "export", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Write a network as .pare, safetensors or ONNX.%n",
        description = {
            "Also imports: FILE may be safetensors or ONNX that others wrote for a model that Pare knows; --names"
                    + " maps names. ONNX files use opset 13.",
            ""},
        footer = {"", "Examples:", "  pare export runs/lenet5 --out lenet5.onnx",
            "  pare export lenet5.pare --out lenet5.onnx --as onnx_codebook",
            "  pare export theirs.safetensors --model lenet5 --names map.txt --out lenet5.pare"})
final class ExportCommand implements Callable<Integer> {
    @Mixin
    private NetworkSource source;

    @Option(names = "--out", paramLabel = "FILE", required = true, description = "File to write.")
    private Path out;

    @Option(names = "--as", paramLabel = "KIND",
            description = "pare, safetensors, safetensors_compressed, onnx or onnx_codebook (default: by the ending of"
                    + " --out).")
    private Kind kind;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Kind chosen = kind != null ? kind : byEnding();
        AtomicFile.check(out);
        CompressedWeights weights = source.read();
        NetworkFile.write(out, weights, chosen);
        PrintWriter results = spec.commandLine().getOut();
        results.printf(Locale.ROOT, "%s  %,d bytes, %s of %s%n", out, Files.size(out),
                chosen.name().toLowerCase(Locale.ROOT), weights.model().name());
        results.flush();
        return Commands.OK;
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
