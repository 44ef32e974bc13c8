package io.pare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {
    @ParameterizedTest
    @CsvSource({"1.8,8", "9,9", "17,17", "25,25", "x,0"})
    void readsVersions(String version, int feature) {
        assertEquals(feature, Main.feature(version));
    }

    @ParameterizedTest
    @CsvSource({"temurin-25-jdk-amd64,25", "jdk-25.0.3,25", "java-1.17.0-openjdk-amd64,1", "zulu,0", "jdk-99999,0"})
    void readsFolderNames(String name, int number) {
        assertEquals(number, Main.leadingNumber(name));
    }

    @Test
    void namesTheJdkThatIsThereAndTheWholeCommand(@TempDir Path folder) throws IOException {
        Files.createDirectories(folder.resolve("bin"));
        Files.createFile(folder.resolve("bin/java"));
        String line = Main.tooOld("17", new File[]{new File("/none"), folder.toFile()},
                new String[]{"train", "lenet5", "it's"});
        assertTrue(line.contains(folder + "/bin/java -jar "), line);
        assertTrue(line.endsWith(" train lenet5 'it'\\''s'"), line);
    }

    @Test
    void saysWhatToInstallWhereNothingIs() {
        String line = Main.tooOld("11", new File[0], new String[0]);
        assertTrue(line.contains("needs JDK 25") && line.contains("JAVA25_HOME"), line);
    }
}
