package io.pare.cli;

import java.util.Map;

/** Whether help has colours: on a terminal that shows them, unless the environment says otherwise. */
final class Colours {
    private Colours() {}

    /** Whether stdout shall have them. */
    static boolean wanted() {
        return wanted(System.getenv(), System.console() != null && System.console().isTerminal());
    }

    /** By the variables that many programs share: {@code NO_COLOR}, {@code CLICOLOR}, {@code CLICOLOR_FORCE}, {@code TERM}. */
    static boolean wanted(Map<String, String> environment, boolean terminal) {
        if (!environment.getOrDefault("NO_COLOR", "").isEmpty()) {
            return false;
        }
        String forced = environment.getOrDefault("CLICOLOR_FORCE", "");
        if (!forced.isEmpty() && !forced.equals("0")) {
            return true;
        }
        String kind = environment.getOrDefault("TERM", "");
        return terminal && !kind.isEmpty() && !kind.equals("dumb") && !"0".equals(environment.get("CLICOLOR"));
    }
}
