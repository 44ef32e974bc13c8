package io.pare.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pare.descent.Attack;
import io.pare.descent.Descent;
import io.pare.descent.Optimizer;
import io.pare.descent.Schedule;
import org.junit.jupiter.api.Test;

/** The forms in which runs of old hold their options: never changed. */
class TrainingOptionsTest {
    private static final TrainingOptions OPTIONS = new TrainingOptions(3,
            new Descent(Optimizer.adamW(1e-4), new Schedule(0.002, Schedule.Course.CONSTANT, 0.1, 0.05)), 16, true, 1,
            true, 0.5, 4, 0.25, TrainingOptions.Select.BEST);

    @Test
    void recipesAndStatesNameTheKeysInThisOrder() throws JsonProcessingException {
        ObjectMapper json = new ObjectMapper();
        String text = """
                {"epochs":3,"learningRate":0.002,"finalRate":0.1,"schedule":"CONSTANT","warmup":0.05,\
                "optimizer":"ADAMW","momentum":0.9,"weightDecay":1.0E-4,"batchSize":16,"dropout":true,"shift":1,\
                "flip":true,"distill":0.5,"temperature":4.0,"average":0.25,"select":"BEST"}""";
        assertEquals(text, json.writeValueAsString(OPTIONS));
        assertEquals(OPTIONS, json.readValue(text, TrainingOptions.class));
    }

    @Test
    void whatCameLaterIsNamedWhereItIsOn() throws JsonProcessingException {
        TrainingOptions options = new TrainingOptions(3, new Descent(OPTIONS.descent().optimizer(),
                OPTIONS.descent().schedule(), 0.5), 16, true, 1, true, 0.5, 4, 0.25, TrainingOptions.Select.BEST, 2,
                new TrainingOptions.Warp(10, 0.1, 0, 1.5), new Attack(0.3, 0.1, 7));
        String text = new ObjectMapper().writeValueAsString(options);
        assertTrue(text.endsWith("\"select\":\"BEST\",\"clipNorm\":0.5,\"patience\":2,\"rotate\":10.0,\"zoom\":0.1,"
                + "\"elastic\":1.5,\"attack\":{\"epsilon\":0.3,\"step\":0.1,\"steps\":7}}"), text);
        assertEquals(options, new ObjectMapper().readValue(text, TrainingOptions.class));
        assertTrue(options.toString().endsWith(", select=BEST, clipNorm=0.5, patience=2, rotate=10.0, zoom=0.1,"
                + " elastic=1.5, attack=PGD-7, epsilon 0.3, step 0.1]"), options.toString());
        assertThrows(IllegalArgumentException.class, () -> new Descent(OPTIONS.descent().optimizer(),
                OPTIONS.descent().schedule(), -1));
    }

    @Test
    void denseNetworksSayByTheseWordsHowTheyWereTrained() {
        assertEquals("TrainingOptions[epochs=3, learningRate=0.002, finalRate=0.1, schedule=CONSTANT, warmup=0.05, "
                + "optimizer=ADAMW, momentum=0.9, weightDecay=1.0E-4, batchSize=16, dropout=true, shift=1, flip=true, "
                + "distill=0.5, temperature=4.0, average=0.25, select=BEST]", OPTIONS.toString());
    }
}
