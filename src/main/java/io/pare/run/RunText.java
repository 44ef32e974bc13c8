package io.pare.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.pare.data.DataException;
import java.io.CharConversionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Content of the settings file of a training run. Apart from its folder, which a JVM without Jackson can link.
 *
 * @param settings of the run
 * @param history an entry for each epoch
 */
record RunText(RunSettings settings, List<EpochRecord> history) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT)
            .enable(SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
            .enable(DeserializationFeature.READ_ENUMS_USING_TO_STRING);

    String json() {
        try {
            return JSON.writeValueAsString(this) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("settings have no JSON form: " + settings, e);
        }
    }

    /** {@return what a file says, in which fields may be missing} */
    static @Nullable RunText read(Path file) {
        try {
            return JSON.readValue(Files.readAllBytes(file), RunText.class);
        } catch (JsonProcessingException e) {
            throw new DataException(file + " is damaged: " + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        } catch (CharConversionException e) {
            throw new DataException(file + " is damaged: it is not UTF-8", e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
