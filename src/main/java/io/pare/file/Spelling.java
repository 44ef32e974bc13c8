package io.pare.file;

import java.util.Collection;

/** What a misspelt name in a file may have meant. */
public final class Spelling {
    private Spelling() {}

    /**
     * {@return the nearest known name, as the end of a sentence; empty if none is near}
     *
     * @param name what somebody wrote
     * @param known what could have been written
     */
    public static String suggestion(String name, Collection<String> known) {
        String best = null;
        int bestDistance = 1 + Math.max(2, name.length() / 3);
        for (String candidate : known) {
            int distance = distance(name, candidate);
            if (distance < bestDistance) {
                bestDistance = distance;
                best = candidate;
            }
        }
        return best == null ? "" : ", did you mean '" + best + "'?";
    }

    /** Edit distance of Levenshtein, case ignored. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                boolean same = Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
                row[j] = Math.min(diagonal + (same ? 0 : 1), 1 + Math.min(row[j], row[j - 1]));
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
