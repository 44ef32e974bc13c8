package io.pare.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.data.Crop;
import io.pare.data.OddImages;
import io.pare.data.Warp;
import io.pare.descent.Attack;
import io.pare.descent.Descent;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import io.pare.exec.backend.Precision;
import io.pare.format.onnx.Bindings;
import io.pare.net.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The form in which settings are kept. */
class RunSettingsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Never changed but at its end: folders of old are resumed. */
    private static final String KEPT = """
            {"model":"lenet5","data":"/data","epochs":3,"batchSize":16,"learningRate":0.002,"optimizer":"SGD",\
            "momentum":0.8,"weightDecay":1.0E-4,"schedule":"STEP","floor":0.1,"warmUp":0.5,"dropout":false,\
            "shift":0.1,"subPixel":true,"validation":20,"seed":4,"threads":2,"crop":"RANDOM","flip":true,\
            "dataset":"FOLDER","images":9,"resize":40,"scale":"unit","damaged":"SKIP","nonRgb":"REFUSE",\
            "precision":"BF16","accumulate":4,"evaluationBatch":8,"recompute":true,"from":"a.pare",\
            "background":"white","keepZeros":true,"task":"REGRESS","clipNorm":1.5,"patience":3,\
            "dimensions":{"height":9},"output":"y"}""";
    private static final RunSettings SETTINGS = new RunSettings("lenet5", "a.pare", true,
            new DataSettings(DataSettings.Source.FOLDER, "/data", 9, 40, "unit", OddImages.Rule.SKIP,
                    OddImages.Rule.REFUSE, "white", Task.REGRESS),
            20, new Descent(Optimizer.sgd(0.8, 1e-4), new Schedule(0.002, Schedule.Course.STEP, 0.1, 0.5), 1.5),
            new RunSettings.Variation(0.1, true, Crop.RANDOM, true), new RunSettings.Steps(3, 16, false, 4, 8, true, 3),
            4,
            2, Precision.BF16, Bindings.NONE.with("height", 9).output("y"));

    @Test
    void allSettingsAreKeptUnderTheNamesTheyAlwaysHad() throws JsonProcessingException {
        assertEquals(KEPT, JSON.writeValueAsString(SETTINGS));
        assertEquals(SETTINGS, JSON.readValue(KEPT, RunSettings.class));
    }

    @Test
    void warpsAndAttacksAreKeptWhereThereAreAny() throws JsonProcessingException {
        RunSettings warped = SETTINGS.with(new RunSettings.Variation(0.1, true, Crop.RANDOM, true,
                new Warp(10, 0.1f, 0.12f, 1.4f), new Attack(0.3, 0.1, 7)));
        String kept = JSON.writeValueAsString(warped);
        assertTrue(kept.endsWith("\"output\":\"y\",\"warp\":{\"rotate\":10.0,\"zoom\":0.1,\"shear\":0.12,"
                + "\"elastic\":1.4},\"attack\":{\"epsilon\":0.3,\"step\":0.1,\"steps\":7}}"), kept);
        assertEquals(warped, JSON.readValue(kept, RunSettings.class));
    }

    @Test
    void aFolderHasRulesInSmallLetters(@TempDir Path path) throws IOException {
        try (RunFolder folder = new RunFolder(path)) {
            folder.write(SETTINGS, List.of());
        }
        String kept = Files.readString(path.resolve("run.json"));
        assertTrue(kept.contains("\"optimizer\" : \"sgd\"") && kept.contains("\"schedule\" : \"step\""), kept);
    }

    @Test
    void settingsOfOldLackWhatCameLater() throws JsonProcessingException {
        RunSettings old = JSON.readValue("""
                {"model":"lenet5","epochs":3,"batchSize":16,"learningRate":0.002,"optimizer":"ADAM"}""",
                RunSettings.class);
        assertEquals(Precision.FP32, old.precision());
        assertEquals(Bindings.NONE, old.bindings());
        assertFalse(JSON.writeValueAsString(old).contains("dimensions"));
        assertEquals(1, old.steps().accumulate());
        assertEquals(OddImages.Rule.REFUSE, old.data().damaged());
        assertEquals(OddImages.Rule.CONVERT, old.data().nonRgb());
    }

    @Test
    void valuesOutOfRangeAreRefusedWhereTheyAreNamed() {
        assertThrows(IllegalArgumentException.class, () -> new DataSets.Loading(0));
        assertThrows(IllegalArgumentException.class, () -> new DataSets.Loading(1, -1));
        assertThrows(IllegalArgumentException.class, () -> MemoryFit.of(0));
        assertThrows(RunException.class, () -> Scales.parse("0.5"));
        assertThrows(RunException.class, () -> Engine.SPARSE.check(Precision.BF16));
    }
}
