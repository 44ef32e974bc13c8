package io.pare.run;

import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.Recipe;
import io.pare.net.Net;
import io.pare.train.Evaluation;
import io.pare.train.Robustness;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link CompressionJob} ends with. All figures are of the packed network, where it was packed.
 *
 * @param recipe that was run; of a search, the last one tried
 * @param model of the network
 * @param found counts of the final weights, their proofs, and a row for each stage
 * @param death in which stage and tensor the network of a rehearsal died, in words; empty if it did not
 * @param packing what packing did, step by step
 * @param dense the dense network on test data
 * @param test the compressed network on test data
 * @param file the {@code .pare} file
 * @param fileBytes its size
 * @param denseSeconds of training the dense network; 0 if it was given or had been trained
 * @param guess validation score of an answer that is always the same: the largest class, all labels, or the mean
 * @param budgets what was promised and measured of each budget, and of each cost that has a table
 * @param denseRobust the dense network on test data under the attack of the recipe's last stage that has one; {@code null}
 *            where none has
 * @param robust the compressed network likewise
 */
public record CompressionResult(Recipe recipe, Net model, Pipeline.Result found, String death,
        List<Packing.Row> packing, Evaluation dense, Evaluation test, Path file, long fileBytes, double denseSeconds,
        double guess, List<BudgetRow> budgets, @Nullable Robustness denseRobust, @Nullable Robustness robust) {
    /** Copies the lists. */
    public CompressionResult {
        packing = List.copyOf(packing);
        budgets = List.copyOf(budgets);
    }
}
