package io.pare.cli;

import io.pare.compress.Pipeline;
import io.pare.compress.Recipe;
import io.pare.model.Model;
import io.pare.report.JsonReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a compression run found, as text and as JSON. */
record CompressionReport(Recipe recipe, Model model, long seed, int threads, Pipeline.Result result,
        double denseTest, double test, long fileBytes, double denseSeconds) {

    private double dense() {
        return 4.0 * result.weights();
    }

    private double bias() {
        return model.parameters().stream().filter(parameter -> !parameter.weight())
                .mapToLong(parameter -> parameter.count()).sum();
    }

    JsonReport json() {
        JsonReport json = new JsonReport().put("model", model.name()).put("recipe", recipe.name()).put("seed", seed)
                .put("threads", threads).put("pruningRatio", (double) result.weights() / result.nonzeros())
                .put("nonzeros", result.nonzeros()).put("totalWeights", result.weights())
                .put("weightDataBytes", result.weightDataBytes())
                .put("weightDataRatio", dense() / result.weightDataBytes())
                .put("codebookBytes", result.codebookBytes()).put("bytesWithIndex", fileBytes)
                .put("bytesWithIndexIs", "size of the .pare file: positions, values, codebooks, biases, header")
                .put("ratioWithIndex", dense() / fileBytes)
                .put("entropyBoundBytes", result.entropyBytes()).put("biases", (long) bias())
                .put("testAccuracy", test).put("denseTestAccuracy", denseTest)
                .put("validationAccuracy", result.validation().accuracy())
                .put("seconds", result.trainSeconds() + result.projectionSeconds() + denseSeconds)
                .put("denseSeconds", denseSeconds).put("projectionSeconds", result.projectionSeconds());
        json.put("layers", result.layers());
        List<Map<String, Object>> proofs = new ArrayList<>();
        result.proofs().forEach((name, found) -> {
            Map<String, Object> proof = new LinkedHashMap<>();
            proof.put("constraint", name);
            proof.put("holds", found.holds());
            proof.put("counted", found.detail());
            proofs.add(proof);
        });
        return json.put("proofs", proofs).put("stages", result.stages());
    }

    String text() {
        StringBuilder text = new StringBuilder();
        result.layers()
                .forEach(layer -> text.append(String.format(Locale.ROOT, "%-14s %,9d of %,9d  %3d values  %2d bits%n",
                        layer.name(), layer.kept(), layer.total(), layer.unique(), layer.bits())));
        text.append(String.format(Locale.ROOT, "non-zeros            %,d of %,d (%.1f times)%n", result.nonzeros(),
                result.weights(), (double) result.weights() / result.nonzeros()));
        text.append(String.format(Locale.ROOT, "weight data          %.1f bytes (%.0f times)%n",
                result.weightDataBytes(), dense() / result.weightDataBytes()));
        text.append(String.format(Locale.ROOT, "file                 %,d bytes (%.0f times)%n", fileBytes,
                dense() / fileBytes));
        text.append(String.format(Locale.ROOT, "validation accuracy  %.4f%n", result.validation().accuracy()));
        text.append(String.format(Locale.ROOT, "test accuracy        %.4f (dense %.4f)%n", test, denseTest));
        text.append(String.format(Locale.ROOT, "seconds              %.1f, projections %.1f (%.2f %%)%n",
                result.trainSeconds() + result.projectionSeconds() + denseSeconds, result.projectionSeconds(),
                100 * result.projectionSeconds() / (result.trainSeconds() + result.projectionSeconds())));
        return text.toString();
    }
}
