package io.pare.compress.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import io.pare.compress.Guarantee;
import io.pare.compress.constraint.BlockCirculant;
import io.pare.compress.constraint.Clustering;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.FixedPoint;
import io.pare.compress.constraint.GlobalBudget;
import io.pare.compress.constraint.GlobalSparsity;
import io.pare.compress.constraint.HierarchicalBlocks;
import io.pare.compress.constraint.KernelPatterns;
import io.pare.compress.constraint.NofMClustering;
import io.pare.compress.constraint.Quantization;
import io.pare.compress.constraint.ScaledSigns;
import io.pare.compress.constraint.SparseClustering;
import io.pare.compress.constraint.Sparsity;
import io.pare.compress.constraint.StructuredSparsity;
import io.pare.compress.stage.AdmmConstrain;
import io.pare.compress.stage.Stage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CatalogTest {
    @Test
    void everyStageOfPareHasAName() {
        Set<Class<?>> named = Catalog.STANDARD.stages().values().stream().map(Stage::getClass)
                .collect(Collectors.toSet());
        Set<Class<?>> all = records(Stage.class).collect(Collectors.toSet());
        assertTrue(all.size() > 5, all.toString());
        assertEquals(all, named);
        Catalog.STANDARD.stages().forEach((name, stage) -> assertEquals(name, stage.name()));
    }

    /** The records behind a sealed interface, however deep; what others may implement has none. */
    private static Stream<Class<?>> records(Class<?> type) {
        return type.isRecord() ? Stream.of(type)
                : type.isSealed() ? Arrays.stream(type.getPermittedSubclasses()).flatMap(CatalogTest::records)
                        : Stream.empty();
    }

    /** Runs that were saved are read by these names. */
    @Test
    void constraintsKeepTheNamesUnderWhichRunsWereSaved() throws IOException {
        List<Constraint> constraints = List.of(Sparsity.count(7), StructuredSparsity.nOfM(2, 4), new Clustering(3),
                Quantization.bits(2), new SparseClustering(Sparsity.count(9), 2),
                new GlobalSparsity(11, GlobalSparsity.Score.LAMP, List.of(new GlobalSparsity.Dependency(0, 1))),
                new GlobalBudget(30, 1, 3, GlobalSparsity.Score.MAGNITUDE));
        List<String> texts = List.of("{\"kind\":\"Sparsity\",\"count\":7,\"share\":0.0}",
                "{\"kind\":\"StructuredSparsity\",\"unit\":\"N_OF_M\",\"share\":1.0,\"first\":2,\"second\":4}",
                "{\"kind\":\"Clustering\",\"k\":3}",
                "{\"kind\":\"Quantization\",\"levels\":\"UNIFORM\",\"bits\":2,\"keepZero\":true,\"follow\":true}",
                "{\"kind\":\"Joint\",\"sparsity\":{\"kind\":\"Sparsity\",\"count\":9,\"share\":0.0},\"k\":2}",
                "{\"kind\":\"GlobalSparsity\",\"total\":11,\"score\":\"LAMP\",\"wires\":[{\"producer\":0,\"consumer\":1}],"
                        + "\"counts\":[],\"importance\":[]}",
                "{\"kind\":\"GlobalBudget\",\"bits\":30,\"minimumBits\":1,\"maximumBits\":3,\"score\":\"MAGNITUDE\"}");
        TypeReference<List<Guarantee>> type = new TypeReference<>() {};
        List<Guarantee> guarantees = new ArrayList<>();
        List<String> saved = new ArrayList<>();
        for (int i = 0; i < constraints.size(); i++) {
            guarantees.add(new Guarantee(constraints.get(i), List.of("w"), Map.of()));
            saved.add("{\"constraint\":" + texts.get(i) + ",\"tensors\":[\"w\"],\"memory\":{}}");
        }
        String text = "[" + String.join(",", saved) + "]";
        assertEquals(text, Catalog.STANDARD.json().writerFor(type).writeValueAsString(guarantees));
        assertEquals(guarantees, Catalog.STANDARD.json().readValue(text, type));
    }

    @Test
    void aConstraintOfARecipeTakesWhatItLeavesOutFromTheCatalog() {
        Recipe recipe = Recipe.parse("r", """
                stages:
                  - admm:
                      constraints:
                        conv1: {kind: Sparsity, share: 0.1}
                        conv2: {kind: StructuredSparsity, unit: n_of_m, first: 2, second: 4}
                        fc1: {kind: Quantization, bits: 3, levels: powers}
                        fc2: {kind: Joint, sparsity: {count: 9}, k: 2}
                        fc3: {kind: KernelPatterns, patterns: 8, positions: 4}
                        fc4: {kind: BlockCirculant, size: 16}
                        fc5: {kind: Quantization, bits: 4, levels: e2}
                        fc6: {kind: NofMClustering, n: 2, m: 4, k: 16}
                        fc7: {kind: ScaledSigns, ternary: false}
                        fc8: {kind: FixedPoint, bits: 4}
                        fc9: {kind: HierarchicalBlocks, seed: 5, block: 32, share: 0.25, inner: 8, innerShare: 0.5}
                        "*": {kind: Clustering, k: 3}
                """);
        AdmmConstrain stage = (AdmmConstrain) recipe.stages().getFirst();
        assertEquals(List.of(Sparsity.share(0.1), StructuredSparsity.nOfM(2, 4),
                new Quantization(Quantization.Levels.POWERS, 3, true, true),
                new SparseClustering(new Sparsity(9, 1), 2), new KernelPatterns(8, 4), new BlockCirculant(16),
                new Quantization(Quantization.Levels.E2, 4, true, true), new NofMClustering(2, 4, 16),
                new ScaledSigns(false), new FixedPoint(4), new HierarchicalBlocks(5, 32, 0.25, 8, 0.5),
                new Clustering(3)),
                List.copyOf(stage.constraints().values()));
        assertEquals(stage.constraints(), ((AdmmConstrain) recipe.shortened().stages().getFirst()).constraints());
        assertTrue(recipe.text(1).startsWith("admm{\"constraints\":{\"*\":{\"kind\":\"Clustering\",\"k\":3}"),
                recipe.text(1));
    }
}
