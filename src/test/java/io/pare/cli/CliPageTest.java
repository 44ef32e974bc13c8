package io.pare.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;

/** The command reference is that of the commands. */
class CliPageTest {
    private static final String RENEW = "mvn -B -ntp test -Dtest=CliPageTest -Dpare.test.renew=true";

    @Test
    void theReferenceIsThatOfTheCommandTree() throws IOException {
        String page = Files.readString(CliPage.PATH);
        String renewed = CliPage.renewed(page);
        assertTrue(renewed.contains("\n## train\n") && renewed.contains("\n## data mnist\n")
                && renewed.contains("`--epochs N`"), renewed);
        if (Boolean.getBoolean("pare.test.renew")) {
            Files.writeString(CliPage.PATH, renewed);
        } else {
            assertEquals(renewed, page, CliPage.PATH + " is stale: run " + RENEW + " to renew it");
        }
    }
}
