package io.pare.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.compress.recipe.Compression;
import io.pare.compress.recipe.Pipeline;
import io.pare.compress.recipe.PipelineListener;
import io.pare.compress.recipe.Recipe;
import io.pare.compress.stage.MaskRetrain;
import io.pare.compress.stage.QuantizeRetrain;
import io.pare.compress.stage.RecipeException;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GradientTrainingTest {
    private static final DoubleUnaryOperator RATE = done -> 1e-2;
    private static final StepHook NO_HOOK = (step, steps) -> {
    };

    private final Region region = Region.shared("values");
    private int regionsBefore;

    @BeforeEach
    void countRegions() {
        regionsBefore = Region.liveRegions();
    }

    @AfterEach
    void nothingLeaks() {
        assertEquals(regionsBefore, Region.liveRegions(), Region::describeLive);
        region.close();
    }

    private static Training.Evaluation none() {
        return new Training.Evaluation(0, 0);
    }

    @Test
    void aConstructorThatThrowsLeavesNothingOpen() {
        assertThrows(IllegalArgumentException.class,
                () -> new GradientTraining(0, (batch, variables) -> 0, GradientTrainingTest::none));
        assertThrows(NullPointerException.class, () -> new GradientTraining(1, null, GradientTrainingTest::none));
        assertThrows(NullPointerException.class, () -> new GradientTraining(1, (batch, variables) -> 0, null));
    }

    @Test
    void twoTensorsOfOneNameAreRefused() {
        for (boolean weight : new boolean[]{true, false}) {
            // Nobody closes it: as in the head of a try, of which nothing has been assigned yet.
            GradientTraining training = new GradientTraining(1, (batch, variables) -> 0, GradientTrainingTest::none)
                    .weight("w", region.tensor(3));
            IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> add(training, weight));
            assertTrue(e.getMessage().startsWith("there is a tensor 'w' already"), e.getMessage());
        }
    }

    private GradientTraining add(GradientTraining training, boolean weight) {
        return weight ? training.weight("w", region.tensor(2)) : training.bias("w", region.tensor(2));
    }

    @Test
    void whatIsNoNumberIsNamedWithItsStepBeforeItMovesAnything() {
        FloatTensor w = region.tensor(50).fill(1f);
        FloatTensor b = region.tensor(4);
        for (float wrong : new float[]{Float.NaN, Float.NEGATIVE_INFINITY}) {
            float[] before = w.toArray();
            try (GradientTraining training = new GradientTraining(4, (batch, variables) -> {
                variables.get(1).gradient().set(2, batch == 7 ? wrong : 1e30f);
                return 1;
            }, GradientTrainingTest::none).weight("w", w).bias("b", b)) {
                training.begin(TrainingOptions.DEFAULTS);
                training.epoch(0, RATE, NO_HOOK);
                IllegalStateException e = assertThrows(IllegalStateException.class,
                        () -> training.epoch(1, RATE, NO_HOOK));
                assertTrue(e.getMessage().startsWith("the gradient of 'b' at index 2 is " + wrong + " in step 7"),
                        e.getMessage());
            }
            assertEquals(before[0], w.get(0), "a gradient of 0 moves nothing");
        }
        try (GradientTraining training = new GradientTraining(4, (batch, variables) -> batch == 2 ? Double.NaN : 1,
                GradientTrainingTest::none).weight("w", w)) {
            IllegalStateException e =
                    assertThrows(IllegalStateException.class, () -> training.epoch(0, RATE, NO_HOOK));
            assertTrue(e.getMessage().startsWith("the loss is NaN in step 2"), e.getMessage());
        }
    }

    @Test
    void anEpochKeepsItsMemoryAndRefusesASecondThread() throws Exception {
        CountDownLatch within = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Region values = Region.shared("values of a training");
        try (GradientTraining training = new GradientTraining(1, (batch, variables) -> {
            within.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            return 0;
        }, GradientTrainingTest::none).weight("w", values.tensor(10));
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            Future<?> epoch = threads.submit(() -> training.epoch(0, RATE, NO_HOOK));
            within.await();
            assertThrows(IllegalStateException.class, training::close);
            assertThrows(IllegalStateException.class, values::close);
            IllegalStateException e =
                    assertThrows(IllegalStateException.class, () -> training.epoch(1, RATE, NO_HOOK));
            assertTrue(e.getMessage().startsWith("a gradient training is used by two threads"), e.getMessage());
            goOn.countDown();
            epoch.get();
            values.close();
            assertThrows(IllegalStateException.class, () -> training.epoch(1, RATE, NO_HOOK));
        }
    }

    @Test
    void aRunKeepsTheValuesAndAStageThatCannotBeginLeavesNothingOpen() throws IOException {
        FloatTensor w = region.tensor(40).fill(1f);
        TrainingOptions options = TrainingOptions.DEFAULTS;
        try (GradientTraining training = new GradientTraining(1, (batch, variables) -> 0, () -> {
            assertThrows(IllegalStateException.class, region::close);
            return none();
        }).weight("w", w)) {
            new Pipeline(new Recipe("one", "m", "", options, List.of(new MaskRetrain(options))), training, null,
                    PipelineListener.SILENT).run();
            Recipe early = new Recipe("early", "m", "", options, List.of(new QuantizeRetrain(1, 0.5, options)));
            assertThrows(RecipeException.class,
                    () -> new Pipeline(early, training, null, PipelineListener.SILENT).run());
            Compression.of(training).cluster(Map.of("*", 1), AdmmOptions.DEFAULTS, options).run();
        }
    }
}
